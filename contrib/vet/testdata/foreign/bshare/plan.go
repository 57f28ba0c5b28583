package bshare

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Rule 分账规则。
type Rule struct {
	Type     string `json:"type"`
	Account  string `json:"account"`
	Name     string `json:"name,omitempty"`
	Ratio    int64  `json:"ratio"` // 万分比
	Remark   string `json:"remark"`
	Priority int    `json:"priority"`
}

// Share 分给某人的钱。
type Share struct {
	Rule
	Fen int64
}

// PlanBuilder 分账方案构造器。
type PlanBuilder struct {
	total    int64
	maxRatio int64
	rules    []Rule
}

// NewPlanBuilder maxRatio 是子商户设置的最大分账比例。
func NewPlanBuilder(total, maxRatio int64) *PlanBuilder {
	return &PlanBuilder{total: total, maxRatio: maxRatio}
}

// Add 增加规则。
func (b *PlanBuilder) Add(rules ...Rule) *PlanBuilder {
	b.rules = append(b.rules, rules...)
	return b
}

// Build 计算金额，向下取整，余数留给学校。
func (b *PlanBuilder) Build() ([]Share, error) {
	if b.total <= 0 {
		return nil, errors.New("总金额必须大于 0")
	}
	if len(b.rules) > MaxReceivers {
		return nil, fmt.Errorf("接收方超过 %d 个", MaxReceivers)
	}
	rules := slices.Clone(b.rules)
	slices.SortStableFunc(rules, func(x, y Rule) int { return cmp.Compare(x.Priority, y.Priority) })
	var ratio int64
	shares := make([]Share, 0, len(rules))
	for _, r := range rules {
		if r.Ratio <= 0 {
			return nil, fmt.Errorf("%s 的比例不合法: %d", r.Account, r.Ratio)
		}
		ratio += r.Ratio
		fen := b.total * r.Ratio / RatioBase
		if fen == 0 {
			continue // 一分钱都不到就不分
		}
		shares = append(shares, Share{Rule: r, Fen: fen})
	}
	if ratio > b.maxRatio {
		return nil, fmt.Errorf("比例合计 %d 超过上限 %d", ratio, b.maxRatio)
	}
	return shares, nil
}
