package bbill

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/wxpay-go/wxpay"
)

// Books reads our own items of a day.
type Books func(ctx context.Context, day string) ([]Item, error)

// Diff is one difference.
type Diff struct {
	Key    string `json:"key"`
	Kind   string `json:"kind"` // 长款 only WeChat has it, 短款 only we have it, 金额 amounts differ
	Ours   int64  `json:"ours"`
	Theirs int64  `json:"theirs"`
}

// Reconcile compares a day.
func Reconcile(ctx context.Context, c *wxpay.Client, books Books, day string) ([]Diff, error) {
	theirs, err := read(ctx, c, day)
	if err != nil {
		return nil, err
	}
	list, err := books(ctx, day)
	if err != nil {
		return nil, fmt.Errorf("books of %s: %w", day, err)
	}
	return compare(index(list, func(i Item) string { return i.Key }), theirs), nil
}

func index[K comparable, V any](list []V, key func(V) K) map[K]V {
	m := make(map[K]V, len(list))
	for _, v := range list {
		m[key(v)] = v
	}
	return m
}

func compare(ours, theirs map[string]Item) []Diff {
	var out []Diff
	for _, k := range slices.Sorted(maps.Keys(theirs)) {
		t := theirs[k]
		o, ok := ours[k]
		switch {
		case !ok:
			out = append(out, Diff{k, "长款", 0, t.Fen})
		case o.Fen != t.Fen:
			out = append(out, Diff{k, "金额", o.Fen, t.Fen})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := theirs[k]; !ok {
			out = append(out, Diff{k, "短款", ours[k].Fen, 0})
		}
	}
	return out
}

// Explain asks WeChat about what only we have.
func Explain(ctx context.Context, c *wxpay.Client, sub string, d Diff) string {
	res, err := c.Chain("v3/pay/partner/transactions/out-trade-no/{out_trade_no}", d.Key).
		Query("sp_mchid", c.MchID()).Query("sub_mchid", sub).Get(ctx)
	if err != nil {
		return err.Error()
	}
	return res.Get("trade_state").String() + " " + res.Get("success_time").String()
}

// Run is the command: bbill [-day 2026-11-22] [-dir .] save KIND… | recon BOOKS.csv
func Run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bbill", flag.ContinueOnError)
	day := fs.String("day", Yesterday(), "day of the bill")
	dir := fs.String("dir", ".", "folder for the files")
	if err := fs.Parse(args); err != nil {
		return err
	}
	c, err := wxpay.FromEnv()
	if err != nil {
		return err
	}
	defer c.Close()
	switch fs.Arg(0) {
	case "save":
		for _, kind := range fs.Args()[1:] {
			name, err := Save(ctx, c, kind, *day, *dir)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, kind, name)
		}
		return nil
	case "recon":
		diffs, err := Reconcile(ctx, c, fromCSV(fs.Arg(1)), *day)
		if err != nil {
			return err
		}
		w := csv.NewWriter(out)
		for _, d := range diffs {
			w.Write([]string{d.Kind, d.Key, strconv.FormatInt(d.Ours, 10), strconv.FormatInt(d.Theirs, 10)})
		}
		w.Flush()
		return w.Error()
	}
	return fmt.Errorf("save or recon, not %q", fs.Arg(0))
}

func fromCSV(name string) Books {
	return func(context.Context, string) ([]Item, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			return nil, err
		}
		var items []Item
		for _, r := range rows {
			if len(r) < 3 {
				return nil, fmt.Errorf("short row %v", r)
			}
			fen, err := wxpay.ParseYuan(r[2])
			if err != nil {
				return nil, err
			}
			items = append(items, Item{r[0], r[1], fen})
		}
		return items, nil
	}
}
