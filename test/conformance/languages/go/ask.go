package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/open-feature/go-sdk/openfeature"
)

type question struct {
	Flag    string         `json:"flag"`
	Type    string         `json:"type"`
	Default any            `json:"default"`
	Context map[string]any `json:"context"`
}

type answer struct {
	Value        any                      `json:"value"`
	Variant      string                   `json:"variant"`
	Reason       openfeature.Reason       `json:"reason"`
	ErrorCode    openfeature.ErrorCode    `json:"errorCode"`
	ErrorMessage string                   `json:"errorMessage"`
	Metadata     openfeature.FlagMetadata `json:"metadata"`
}

// ask answers questions, one JSON document a line, until the input ends.
func ask(ctx context.Context, flags *openfeature.Client, in io.Reader, out io.Writer) error {
	questions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var asked question
		if err := questions.Decode(&asked); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		given, err := asked.put(ctx, flags)
		if err != nil {
			return err
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}

func (q question) put(ctx context.Context, flags *openfeature.Client) (answer, error) {
	user := q.user()
	switch q.Type {
	case "boolean":
		asked, _ := flags.BooleanValueDetails(ctx, q.Flag, q.Default.(bool), user)
		return worded(asked.Value, asked.EvaluationDetails), nil
	case "string":
		asked, _ := flags.StringValueDetails(ctx, q.Flag, q.Default.(string), user)
		return worded(asked.Value, asked.EvaluationDetails), nil
	case "integer":
		asked, _ := flags.IntValueDetails(ctx, q.Flag, int64(q.Default.(float64)), user)
		return worded(asked.Value, asked.EvaluationDetails), nil
	case "float":
		asked, _ := flags.FloatValueDetails(ctx, q.Flag, q.Default.(float64), user)
		return worded(asked.Value, asked.EvaluationDetails), nil
	case "object":
		asked, _ := flags.ObjectValueDetails(ctx, q.Flag, q.Default, user)
		return worded(asked.Value, asked.EvaluationDetails), nil
	default:
		return answer{}, fmt.Errorf("there is no type %q", q.Type)
	}
}

func (q question) user() openfeature.EvaluationContext {
	key, hasKey := q.Context["targetingKey"].(string)
	if !hasKey {
		return openfeature.NewTargetlessEvaluationContext(q.Context)
	}
	delete(q.Context, "targetingKey")
	return openfeature.NewEvaluationContext(key, q.Context)
}

func worded(value any, details openfeature.EvaluationDetails) answer {
	return answer{
		Value:        value,
		Variant:      details.Variant,
		Reason:       details.Reason,
		ErrorCode:    details.ErrorCode,
		ErrorMessage: details.ErrorMessage,
		Metadata:     details.FlagMetadata,
	}
}
