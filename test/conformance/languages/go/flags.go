package main

import (
	"os"
	"time"

	"github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
)

func connect() (*openfeature.Client, error) {
	// The environment is part of the address: http://127.0.0.1:7401/environments/production
	provider := ofrep.NewProvider(os.Getenv("TIDEGATE_OFREP_URL"),
		ofrep.WithBearerToken(os.Getenv("TIDEGATE_KEY")),
		ofrep.WithTimeout(3*time.Second))
	if err := openfeature.SetProviderAndWait(provider); err != nil {
		return nil, err
	}
	return openfeature.NewClient("checkout"), nil
}
