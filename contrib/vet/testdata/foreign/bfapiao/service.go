package bfapiao

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// FapiaoService 发票服务接口，方便单测替换。
type FapiaoService interface {
	TitleURL(ctx context.Context, query TitleQuery) (string, error)
	Issue(ctx context.Context, app *Application) error
	Query(ctx context.Context, subMchid, applyID string) ([]Info, error)
	Reverse(ctx context.Context, subMchid, applyID string, reason ReverseReason) error
	Download(ctx context.Context, subMchid, applyID, dir string) ([]string, error)
}

// FapiaoServiceImpl 实现。
type FapiaoServiceImpl struct {
	client *wxpay.Client
	appID  string
}

var _ FapiaoService = (*FapiaoServiceImpl)(nil)

// NewFapiaoServiceImpl 构造函数。
func NewFapiaoServiceImpl(client *wxpay.Client, appID string) *FapiaoServiceImpl {
	return &FapiaoServiceImpl{client: client, appID: appID}
}

// TitleQuery 获取抬头填写链接的参数。
type TitleQuery struct {
	SubMchid       string `json:"sub_mchid"`
	FapiaoApplyID  string `json:"fapiao_apply_id"`
	Source         string `json:"source"`
	Appid          string `json:"appid"`
	Openid         string `json:"openid"`
	TotalAmount    int64  `json:"total_amount"`
	SellerName     string `json:"seller_name,omitempty"`
	ShowEmailCell  bool   `json:"show_email_cell"`
	MustInputEmail bool   `json:"must_input_email"`
}

// TitleURL 获取抬头填写链接。
func (s *FapiaoServiceImpl) TitleURL(ctx context.Context, query TitleQuery) (string, error) {
	query.Appid = s.appID
	if query.Source == "" {
		query.Source = "WEB"
	}
	res, err := s.client.Chain(apiTitleURL).Queries(query).Get(ctx)
	if err != nil {
		return "", fmt.Errorf("获取抬头链接: %w", err)
	}
	return res.Text("title_url")
}

// UserTitle 获取用户填写的抬头，手机号和邮箱已由客户端解密。
func (s *FapiaoServiceImpl) UserTitle(ctx context.Context, subMchid, applyID string) (Buyer, error) {
	return wxpay.Into[Buyer](s.client.Chain(apiUserTitle).
		Query("sub_mchid", subMchid).Query("scene", sceneWithPay).Query("fapiao_apply_id", applyID).Get(ctx))
}

// Issue 开票，异步受理（202）。
func (s *FapiaoServiceImpl) Issue(ctx context.Context, app *Application) error {
	res, err := s.client.Chain(apiApply).Post(ctx, app)
	if err != nil {
		if errors.Is(err, wxpay.ErrOutcomeUnknown) {
			// 查一下有没有受理成功
			if infos, qerr := s.Query(ctx, app.SubMchid, app.FapiaoApplyID); qerr == nil && len(infos) > 0 {
				return nil
			}
		}
		return fmt.Errorf("开票 %s: %w", app.FapiaoApplyID, err)
	}
	log.Printf("开票受理 %s status=%d request-id=%s", app.FapiaoApplyID, res.Status, res.RequestID)
	return nil
}

// Query 查询发票。
func (s *FapiaoServiceImpl) Query(ctx context.Context, subMchid, applyID string) ([]Info, error) {
	type response struct {
		TotalCount        int    `json:"total_count"`
		FapiaoInformation []Info `json:"fapiao_information"`
	}
	r, err := wxpay.Into[response](s.client.Chain(apiQuery, applyID).Query("sub_mchid", subMchid).Get(ctx))
	if wxpay.IsCode(err, wxcode.NotFound, wxcode.ResourceNotExists) {
		return nil, nil
	}
	return r.FapiaoInformation, err
}

// Reverse 冲红该申请下所有已开的蓝票。
func (s *FapiaoServiceImpl) Reverse(ctx context.Context, subMchid, applyID string, reason ReverseReason) error {
	infos, err := s.Query(ctx, subMchid, applyID)
	if err != nil {
		return err
	}
	var list []wxpay.JSON
	for _, info := range infos {
		if info.Status != StatusIssued || info.BlueFapiao == nil {
			continue
		}
		list = append(list, wxpay.JSON{
			"fapiao_id":     info.FapiaoID,
			"fapiao_code":   info.BlueFapiao.FapiaoCode,
			"fapiao_number": info.BlueFapiao.FapiaoNumber,
		})
	}
	if len(list) == 0 {
		return errors.New("没有可以冲红的发票")
	}
	_, err = s.client.Chain(apiReverse, applyID).Post(ctx, wxpay.JSON{
		"sub_mchid": subMchid, "reverse_reason": reason, "fapiao_information": list,
	})
	return err
}

// Download 下载发票文件。
func (s *FapiaoServiceImpl) Download(ctx context.Context, subMchid, applyID, dir string) ([]string, error) {
	res, err := s.client.Chain(apiFiles, applyID).Query("sub_mchid", subMchid).Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var files []string
	for _, f := range res.Get("fapiao_download_info_list").Array() {
		if f.Get("status").String() != string(StatusIssued) {
			continue
		}
		name := filepath.Join(dir, f.Get("fapiao_id").String()+".pdf")
		if _, err := s.client.Fetch(ctx, f.Get("download_url").String(), wxpay.ToFile(name)); err != nil {
			return files, fmt.Errorf("下载发票 %s: %w", f.Get("fapiao_id"), err)
		}
		files = append(files, name)
	}
	return files, nil
}

// SellerName 销售方名称。
func (s *FapiaoServiceImpl) SellerName(ctx context.Context, subMchid string) (string, error) {
	res, err := s.client.Chain(apiBaseInfo).Query("sub_mchid", subMchid).Get(ctx)
	if err != nil {
		return "", err
	}
	return res.Text("seller_information.name")
}

// Enabled 子商户是否可以开数电发票。
func (s *FapiaoServiceImpl) Enabled(ctx context.Context, subMchid string) (bool, error) {
	res, err := s.client.Chain(apiCheck, subMchid).Get(ctx)
	if err != nil {
		return false, err
	}
	ok := res.Get(`digital_tax_mode.ability_info.#(type=="BASE_ABILITY").status`).String() == "AUTHORIZED"
	return ok || res.Get("third_mode.status").String() == "ENABLED", nil
}

// SetCallback 配置回调地址。
func (s *FapiaoServiceImpl) SetCallback(ctx context.Context, url string) error {
	res, err := s.client.Chain(apiDevConfig).Patch(ctx, wxpay.JSON{"callback_url": url, "show_fapiao_cell": true})
	if err != nil {
		return err
	}
	if got := res.Get("callback_url").String(); got != url {
		return fmt.Errorf("回调地址是 %s", got)
	}
	return nil
}

// TaxCodes 商品和税收分类对照表，名称到 [编码, 税率]。
func (s *FapiaoServiceImpl) TaxCodes(ctx context.Context, subMchid string) (map[string][2]string, error) {
	codes := map[string][2]string{}
	for row, err := range s.client.Chain(apiTaxCodes).Query("sub_mchid", subMchid).Query("offset", 0).Query("limit", 20).Each(ctx, "data") {
		if err != nil {
			return nil, err
		}
		codes[row.Get("goods_name").String()] = [2]string{row.Get("tax_code").String(), strconv.FormatInt(row.Get("tax_rate").Int(), 10)}
	}
	return codes, nil
}

// Register 注册发票通知。
func (s *FapiaoServiceImpl) Register(h *webhook.Handler, issued func(ctx context.Context, applyID string, at time.Time) error) {
	h.On("FAPIAO.ISSUED", func(ctx context.Context, e *webhook.Event) error {
		applyID, err := e.Text("fapiao_apply_id")
		if err != nil {
			return err
		}
		return issued(ctx, applyID, e.CreateTime)
	})
	h.On("FAPIAO.*", func(_ context.Context, e *webhook.Event) error {
		log.Printf("发票通知 %s %s", e.Type, e.Summary)
		return nil
	})
}
