// Package ofrep provides a [OpenFeature Provider] for interacting with the [OFREP] service using the [OpenFeature Go SDK].
//
// [OFREP]: https://github.com/open-feature/protocol
// [OpenFeature Provider]: https://docs.openfeature.dev/docs/specification/sections/providers
// [OpenFeature Go SDK]: https://github.com/open-feature/go-sdk
package ofrep
