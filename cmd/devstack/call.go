package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// The credentials of partners in development.
const development = "development"

// caller calls the service.
type caller struct {
	base   string
	client http.Client
}

// call makes a request as the holder of the token and decodes the answer into result, unless that is nil.
func (c *caller) call(ctx context.Context, token, method, path string, body, result any) error {
	return c.send(ctx, "x-tidepool-session-token", token, method, path, body, result)
}

// xealth makes a request as Xealth does.
func (c *caller) xealth(ctx context.Context, method, path string, body, result any) error {
	return c.send(ctx, "Authorization", "Bearer "+development, method, "/v1/xealth/"+path, body, result)
}

// redox makes a request as Redox does.
func (c *caller) redox(ctx context.Context, body any) error {
	return c.send(ctx, "verification-token", development, http.MethodPost, "/v1/redox", body, nil)
}

func (c *caller) send(ctx context.Context, header, value, method, path string, body, result any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(header, value)
	answer, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s answered %d: %s", method, path, answer.StatusCode, content)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(content, result)
}
