package wxpay

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/strict"
)

// Fen reads an amount in the smallest unit of its currency, fen for CNY: a whole number, written as
// one, that fits an int64. Anything else (1.99, 1e2, "100", true, no value) is an error that names
// the path and the kind of value there, and not the value: a *[CallError] like that of Decode.
func (r *Response) Fen(path string) (int64, error) { return read(r, path, strict.Fen) }

// Int reads a whole number, by the rules of [Response.Fen].
func (r *Response) Int(path string) (int64, error) { return read(r, path, strict.Int) }

// Text reads a JSON string, which may be empty; see [Response.Fen].
func (r *Response) Text(path string) (string, error) { return read(r, path, strict.Text) }

// Bool reads true or false; see [Response.Fen].
func (r *Response) Bool(path string) (bool, error) { return read(r, path, strict.Bool) }

// Time reads a time in the form of RFC 3339, such as 2018-06-08T10:34:56+08:00; see [Response.Fen].
func (r *Response) Time(path string) (time.Time, error) { return read(r, path, strict.Time) }

// Need returns an error that names those of paths that hold no value or null: a *[CallError] like
// that of Decode.
//
//	if err := res.Need("prepay_id"); err != nil { … }
func (r *Response) Need(paths ...string) error {
	if err := strict.Need(r.Get, r.documented(), paths); err != nil {
		return r.decodeFailed(err)
	}
	return nil
}

func read[T any](r *Response, path string, as func(Result) (T, error)) (T, error) {
	value, err := strict.Read(r.Get, r.documented(), path, as)
	if err != nil {
		err = r.decodeFailed(err)
	}
	return value, err
}

// Decode unmarshals the body into v as encoding/json does, with encrypted fields decrypted as for
// Get. A failure is a *[CallError] of stage StageDecode and outcome Confirmed: the call itself
// succeeded.
func (r *Response) Decode(v any) error {
	var err error
	switch text := r.text(); {
	case len(r.Raw()) == 0:
		err = errors.New("it has no body")
	case text == nil:
		if _, err = jsonwalk.Read(r.Raw()); !errors.Is(err, jsonwalk.ErrAmbiguous) {
			err = &jsonwalk.DecodeError{Err: json.Unmarshal(r.Raw(), v)}
		}
	default:
		if err = json.Unmarshal(text, v); err == nil {
			return nil
		}
		err = &jsonwalk.DecodeError{Err: err}
	}
	return r.decodeFailed(err)
}

func (r *Response) decodeFailed(err error) error {
	failure := &CallError{Stage: StageDecode, Outcome: Confirmed, Response: r, Err: err}
	if c := r.from.Call; c != nil {
		failure.Method, failure.Template, failure.Attempts = c.Method, c.Template, c.Attempts
	}
	return failure
}

// Into decodes the response of a call into a T:
//
//	order, err := wxpay.Into[Order](client.Chain("…").Get(ctx))
//
// It returns the call's own error unchanged; for a failure to decode see [Response.Decode].
func Into[T any](res *Response, err error) (T, error) {
	var v T
	if err != nil {
		return v, err
	}
	err = res.Decode(&v)
	return v, err
}
