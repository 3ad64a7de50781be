//go:build js && wasm

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"syscall/js"
)

// The JSON here is encoding/json's: tailcfg's types are made for it, and link it
// anyway. The module github.com/go-json-experiment/json decodes them two to three
// times faster, but would add 0.2 MB to the compressed program.

// unmarshal decodes the JSON text in argument.
func unmarshal(argument js.Value, v any) error {
	if err := json.Unmarshal([]byte(argument.String()), v); err != nil {
		return fmt.Errorf("%w: %w", errArgument, err)
	}
	return nil
}

// marshal returns v as JSON text.
func marshal(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("netmap as JSON: %w", err)
	}
	return string(text), nil
}

// maxSafeInteger is JavaScript's Number.MAX_SAFE_INTEGER.
const maxSafeInteger = 1<<53 - 1

// An id is a tailcfg.ID. In JSON it is a number where JSON.parse takes that without
// rounding, and else a string of decimal digits: control planes should give out
// small IDs, but Tailscale's did not before March 2023.
type id int64

// MarshalJSON implements [json.Marshaler].
func (i id) MarshalJSON() ([]byte, error) {
	text := strconv.FormatInt(int64(i), 10)
	if i < -maxSafeInteger || i > maxSafeInteger {
		text = strconv.Quote(text)
	}
	return []byte(text), nil
}

// UnmarshalJSON implements [json.Unmarshaler]. It takes both forms of any ID.
func (i *id) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(bytes.Trim(text, `"`)), 10, 64)
	*i = id(n)
	return err
}
