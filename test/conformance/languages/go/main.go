package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags, err := connect()
	if err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "ask" {
		return ask(ctx, flags, os.Stdin, os.Stdout)
	}
	checkout(ctx, flags)
	return nil
}
