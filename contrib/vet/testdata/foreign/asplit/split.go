// Package asplit 抽佣脚本：读 ndjson，一行一单，给门店分账，剩下解冻给平台。
//
// 输入: {"transaction_id":"…","no":"…","store":"1900000110","rate":85,"total":4500}
package asplit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

type job struct {
	TransactionID string `json:"transaction_id"`
	No            string `json:"no"`
	Store         string `json:"store"`
	Rate          int64  `json:"rate"` // 门店所得百分比
	Total         int64  `json:"total"`
}

var (
	c     *wxpay.Client
	appid string
	dry   bool
)

// must 脚本里懒得一层层返回
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// Main 入口
func Main() {
	in := flag.String("in", "-", "输入文件")
	flag.StringVar(&appid, "appid", os.Getenv("APPID"), "公众号 appid")
	flag.BoolVar(&dry, "n", false, "只检查不发送")
	back := flag.String("return", "", "分账回退：分账单号,商户号,金额")
	left := flag.String("left", "", "查询剩余待分金额")
	bind := flag.String("bind", "", "添加接收方：商户号,全称")
	flag.Parse()

	c = must(wxpay.FromEnv(wxpay.WithPreflight(wxpay.PreflightStrict)))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	switch {
	case *back != "":
		giveBack(ctx, *back)
		return
	case *left != "":
		res := must(c.Chain("v3/profitsharing/transactions/{transaction_id}/amounts", *left).Get(ctx))
		fmt.Println(must(res.Fen("unsplit_amount")))
		return
	case *bind != "":
		id, name, _ := strings.Cut(*bind, ",")
		must(c.Chain("v3/profitsharing/receivers/add").Post(ctx, wxpay.JSON{
			"appid": appid, "type": "MERCHANT_ID", "account": id, "name": name, "relation_type": "STORE",
		}))
		fmt.Println("ok")
		return
	}

	r := io.Reader(os.Stdin)
	if *in != "-" {
		f := must(os.Open(*in))
		defer f.Close()
		r = f
	}
	ok, bad := run(ctx, r)
	log.Printf("成功 %d 失败 %d", ok, bad)
	if bad > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, r io.Reader) (ok, bad int) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		if ctx.Err() != nil {
			break
		}
		if len(s.Bytes()) == 0 {
			continue
		}
		var j job
		if err := json.Unmarshal(s.Bytes(), &j); err != nil {
			log.Println("坏行:", err)
			bad++
			continue
		}
		if err := share(ctx, j); err != nil {
			log.Println(j.No, err)
			bad++
			continue
		}
		ok++
	}
	if err := s.Err(); err != nil {
		log.Println(err)
		bad++
	}
	return ok, bad
}

func share(ctx context.Context, j job) error {
	amount := j.Total * j.Rate / 100
	if amount <= 0 {
		return unfreeze(ctx, j)
	}
	body := wxpay.JSON{
		"appid":          appid,
		"transaction_id": j.TransactionID,
		"out_order_no":   "PS" + j.No,
		"receivers": []wxpay.JSON{
			{"type": "MERCHANT_ID", "account": j.Store, "amount": amount, "description": "门店货款" + j.No},
		},
		"unfreeze_unsplit": true,
	}
	chain := c.Chain("v3/profitsharing/orders")
	if dry {
		return chain.Check(ctx, "POST", body)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	v, err := chain.UntilFinal().Ensure(ctx, body)
	if err != nil {
		if wxpay.IsCode(err, wxcode.NoAuth) {
			log.Fatal("没有分账权限，不用再跑了: ", err)
		}
		return err
	}
	switch v.State {
	case wxpay.Succeeded:
		return nil
	case wxpay.Partial, wxpay.Failed:
		var why []string
		if v.Response != nil {
			for _, r := range v.Response.Get("receivers").Array() {
				if r.Get("result").String() != "SUCCESS" {
					why = append(why, r.Get("account").String()+" "+r.Get("fail_reason").String())
				}
			}
		}
		return errors.New("没分成: " + strings.Join(why, "; "))
	}
	return fmt.Errorf("状态 %v", v.State)
}

func unfreeze(ctx context.Context, j job) error {
	v, err := c.Chain("v3/profitsharing/orders/unfreeze").Ensure(ctx, wxpay.JSON{
		"transaction_id": j.TransactionID,
		"out_order_no":   "UF" + j.No,
		"description":    "解冻全部剩余资金",
	})
	if err == nil {
		log.Println(j.No, "解冻", v.State)
	}
	return err
}

// giveBack 退款前先把门店的钱要回来
func giveBack(ctx context.Context, arg string) {
	p := strings.Split(arg, ",")
	if len(p) != 3 {
		log.Fatal("格式：分账单号,商户号,金额(元)")
	}
	fen := must(wxpay.ParseYuan(p[2]))
	v := must(c.Chain("v3/profitsharing/return-orders").UntilFinal().Ensure(ctx, wxpay.JSON{
		"out_order_no":  p[0],
		"out_return_no": "RT" + strings.TrimPrefix(p[0], "PS"),
		"return_mchid":  p[1],
		"amount":        fen,
		"description":   "用户退款",
	}))
	fmt.Println(v.State)
	if v.State != wxpay.Succeeded {
		os.Exit(1)
	}
}
