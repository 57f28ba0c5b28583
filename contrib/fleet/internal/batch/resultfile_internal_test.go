package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

func given(list ...fleet.Result) func() iter.Seq2[fleet.Result, error] {
	return func() iter.Seq2[fleet.Result, error] {
		return func(yield func(fleet.Result, error) bool) {
			for _, r := range list {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// What a table says is taken for text, never for a formula; numbers keep all their digits.
func TestResultsAsCSV(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 1, 31, 16, 0, 0, 0, time.UTC)
	all, err := writeResults(&out, "csv", given(
		fleet.Result{Number: "00123456789012345678", State: fleet.Succeeded, Amounts: map[string]int64{"amount.refund": 123}, Submitted: at,
			Selected: map[string]json.RawMessage{"id": json.RawMessage(`"@SUM(1)"`), "list": json.RawMessage(`[1,"a"]`)}, Line: 2, File: "=a.csv"},
		fleet.Result{Number: "-7", State: fleet.Unknown, Amounts: map[string]int64{"amount.refund": -5}, Message: "=HYPERLINK(\"x\")\nand", Submitted: at, Ended: at},
		fleet.Result{Number: "+8", State: fleet.Refused, Code: "PARAM_ERROR", Submitted: at},
	))
	require.NoError(t, err)
	assert.Equal(t, "\ufeffline,number,state,attention,amount.refund (yuan),code,message,request_id,id,list,attempts,submitted (UTC+8),ended (UTC+8),file\r\n"+
		`,'-7,unknown,UNKNOWN: it may have taken effect,-0.05,,"'=HYPERLINK(""x"")`+"\nand\",,,,0,2026-02-01 00:00:00,2026-02-01 00:00:00,\r\n"+
		",'+8,refused,NOT DONE,,PARAM_ERROR,,,,,0,2026-02-01 00:00:00,,\r\n"+
		`2,00123456789012345678,succeeded,,1.23,,,,'@SUM(1),"[1,""a""]",0,2026-02-01 00:00:00,,'=a.csv`+"\r\n", out.String())
	assert.Equal(t, "         1  unknown: amount.refund -0.05 yuan\n         1  refused PARAM_ERROR\n         1  succeeded: amount.refund 1.23 yuan\n"+
		"         3  in all: amount.refund 1.18 yuan", all.text())
}

func TestResultsThatCannotBeWritten(t *testing.T) {
	read := 0
	grows := func() iter.Seq2[fleet.Result, error] {
		read++
		return given(fleet.Result{Number: "1", State: fleet.Succeeded, Amounts: map[string]int64{strings.Repeat("a", read): 1}})()
	}
	_, err := writeResults(io.Discard, "csv", grows)
	require.ErrorIs(t, err, errColumn)
	broken := func() iter.Seq2[fleet.Result, error] {
		return func(yield func(fleet.Result, error) bool) { yield(fleet.Result{}, fleet.ErrSealed) }
	}
	for _, format := range []string{"ndjson", "csv", "xlsx"} {
		_, err := writeResults(io.Discard, format, broken)
		assert.ErrorIs(t, err, fleet.ErrSealed, format)
		_, err = writeResults(full{}, format, given(fleet.Result{Message: strings.Repeat("x", 1<<20)}))
		assert.ErrorIs(t, err, errFull, format)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestInYuan(t *testing.T) {
	for fen, want := range map[int64]string{0: "0.00", 5: "0.05", -5: "-0.05", 100: "1.00", 99999: "999.99", 100000: "1,000.00", -123456789: "-1,234,567.89"} {
		assert.Equal(t, want, inYuan(big.NewInt(fen), ","))
	}
	one := make(sums)
	one.add(map[string]int64{"a": 1<<63 - 1})
	one.add(map[string]int64{"a": 1<<63 - 1})
	assert.Equal(t, "184467440737095516.14", inYuan(one["a"], ""))
}
