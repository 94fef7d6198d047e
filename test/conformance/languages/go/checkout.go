package main

import (
	"context"
	"fmt"

	"github.com/open-feature/go-sdk/openfeature"
)

func checkout(ctx context.Context, flags *openfeature.Client) {
	user := openfeature.NewEvaluationContext("ada", map[string]any{"plan": "pro", "seats": 12})

	if flags.Boolean(ctx, "checkout-v2", false, user) {
		fmt.Println("the new checkout")
	} else {
		fmt.Println("the old checkout")
	}

	banner := flags.String(ctx, "banner", "none", user)
	items := flags.Int(ctx, "max-items", 10, user)
	discount := flags.Float(ctx, "discount", 0, user)
	retry := flags.Object(ctx, "retry", map[string]any{"attempts": 1.0}, user)
	attempts := retry.(map[string]any)["attempts"]
	validation := flags.String(ctx, "address-check", "off", user) // off, warn or enforce
	fmt.Println(banner, items, discount, attempts, validation)

	// The error repeats asked.ErrorCode and asked.ErrorMessage: the value is the default then.
	asked, _ := flags.BooleanValueDetails(ctx, "checkout-v2", false, user)
	fmt.Println(asked.Variant, asked.Reason)
}
