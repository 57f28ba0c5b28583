package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
)

// sink keeps the compiler from leaving an expression out.
var sink wxpay.Chain

// TestAllocations holds what an expression costs before the verb: nothing without variables, and one allocation for the
// value of each variable; a literal behind a variable adds one for the joined path.
func TestAllocations(t *testing.T) {
	client, _ := recording(t)
	for _, c := range []struct {
		name string
		most float64
		run  func()
	}{
		{"five segments", 0, func() { sink = api.V3(client).Brand().Partner().CardMember().UserFeeds().Chain() }},
		{"through a node with verbs", 0, func() { sink = api.V3(client).Brand().Card().CardConfigs().Publish().Chain() }},
		{"one variable", 1, func() { sink = api.V3(client).Pay().Transactions().OutTradeNo().OutTradeNo("1").Chain() }},
		{"a literal behind a variable", 2, func() {
			sink = api.V3(client).Pay().Transactions().OutTradeNo().OutTradeNo("1").Close().Chain()
		}},
		{"two variables", 3, func() {
			sink = api.V3(client).Lovefeast().Users().Openid("1").Orders().BrandID().BrandID("2").Chain()
		}},
	} {
		assert.LessOrEqual(t, testing.AllocsPerRun(100, c.run), c.most, c.name)
	}
}

func BenchmarkFiveSegments(b *testing.B) {
	client, _ := recording(b)
	b.ReportAllocs()
	for b.Loop() {
		sink = api.V3(client).Brand().Partner().CardMember().UserFeeds().Chain()
	}
}

func BenchmarkVariable(b *testing.B) {
	client, _ := recording(b)
	b.ReportAllocs()
	for b.Loop() {
		sink = api.V3(client).Pay().Transactions().OutTradeNo().OutTradeNo("ABC-001").Chain()
	}
}

func BenchmarkLiteralBehindVariable(b *testing.B) {
	client, _ := recording(b)
	b.ReportAllocs()
	for b.Loop() {
		sink = api.V3(client).Pay().Transactions().OutTradeNo().OutTradeNo("ABC-001").Close().Chain()
	}
}

// BenchmarkDeclarative is the same call as BenchmarkFiveSegments, to compare.
func BenchmarkDeclarative(b *testing.B) {
	client, _ := recording(b)
	b.ReportAllocs()
	for b.Loop() {
		sink = client.Chain("v3/brand/partner/card-member/user-feeds")
	}
}
