package arider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

const (
	pathTransfer = "v3/fund-app/mch-transfer/transfer-bills"
	pathByBillNo = pathTransfer + "/out-bill-no/{out_bill_no}"
)

type reportInfo struct {
	Type    string `json:"info_type"`
	Content string `json:"info_content"`
}

type transferRequest struct {
	AppID       string       `json:"appid"`
	OutBillNo   string       `json:"out_bill_no"`
	SceneID     string       `json:"transfer_scene_id"`
	OpenID      string       `json:"openid"`
	UserName    string       `json:"user_name,omitempty"` // 由 SDK 按目录加密
	Amount      int64        `json:"transfer_amount"`
	Remark      string       `json:"transfer_remark"`
	NotifyURL   string       `json:"notify_url,omitempty"`
	Perception  string       `json:"user_recv_perception,omitempty"`
	ReportInfos []reportInfo `json:"transfer_scene_report_infos"`
}

type wechatTransferer struct {
	client    *wxpay.Client
	appID     string
	notifyURL string
}

func NewTransferer(client *wxpay.Client, appID, notifyURL string) Transferer {
	return &wechatTransferer{client: client, appID: appID, notifyURL: notifyURL}
}

func (t *wechatTransferer) Transfer(ctx context.Context, p *Payout, r *Rider) (*Transfer, error) {
	req := transferRequest{
		AppID:      t.appID,
		OutBillNo:  p.BillNo,
		SceneID:    sceneSalary,
		OpenID:     r.OpenID,
		Amount:     p.Amount,
		Remark:     p.Day + "配送费",
		NotifyURL:  t.notifyURL,
		Perception: "劳务报酬",
		ReportInfos: []reportInfo{
			{Type: "岗位类型", Content: "外卖骑手"},
			{Type: "报酬说明", Content: fmt.Sprintf("%s配送%d单", p.Day, p.Deliveries)},
		},
	}
	if p.Amount >= NameNeedAmount {
		req.UserName = r.RealName
	}
	verdict, err := t.client.Chain(pathTransfer).Timeout(3*time.Minute).Ensure(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("转账 %s: %w", p.BillNo, err)
	}
	out := &Transfer{State: TransferAccepted}
	if verdict.Response != nil {
		out = read(verdict.Response)
	}
	if verdict.State == wxpay.Failed && out.State == TransferAccepted {
		out.State = TransferFail
	}
	return out, nil
}

func read(res *wxpay.Response) *Transfer {
	return &Transfer{
		State:       TransferState(res.Get("state").String()),
		TransferNo:  res.Get("transfer_bill_no").String(),
		PackageInfo: res.Get("package_info").String(),
		FailReason:  res.Get("fail_reason").String(),
	}
}

func (t *wechatTransferer) Query(ctx context.Context, billNo string) (*Transfer, error) {
	res, err := t.client.Chain(pathByBillNo, billNo).Get(ctx)
	if wxpay.IsCode(err, wxcode.NotFound) {
		return nil, ErrNoPayout
	}
	if err != nil {
		return nil, err
	}
	return read(res), nil
}

// Cancel 撤销骑手一直不确认的转账。
func (t *wechatTransferer) Cancel(ctx context.Context, billNo string) error {
	_, err := t.client.Chain(pathByBillNo+"/cancel", billNo).Post(ctx, nil)
	var api *wxpay.APIError
	if errors.As(err, &api) && api.Code == wxcode.InvalidRequest {
		return fmt.Errorf("%w: %s", ErrNotCancel, api.Message)
	}
	return err
}

func (t *wechatTransferer) Confirmation(packageInfo string) (any, error) {
	c, err := t.client.Invoke().Transfer(t.appID, packageInfo)
	if err != nil {
		return nil, err
	}
	return c, nil
}
