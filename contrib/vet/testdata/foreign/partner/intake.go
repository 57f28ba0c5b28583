package partner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wxpay-go/wxpay"
)

// Provider is the service provider.
type Provider struct {
	client *wxpay.Client
	appid  string
	mchid  string
	notify string
}

// New returns a provider.
func New(client *wxpay.Client, appid, notify string) *Provider {
	return &Provider{client: client, appid: appid, mchid: client.MchID(), notify: notify}
}

// Picture uploads a picture and returns its id.
func (p *Provider) Picture(ctx context.Context, path string) (string, error) {
	switch ext := filepath.Ext(path); ext {
	case ".jpg", ".png", ".bmp":
	default:
		return "", fmt.Errorf("a picture with the suffix %q is not taken", ext)
	}
	res, err := p.client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileAt(path))
	if err != nil {
		return "", err
	}
	return res.Text("media_id")
}

// Video uploads a film of the shop.
func (p *Provider) Video(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > 5<<20 {
		return "", errors.New("the film has more than 5 MB")
	}
	res, err := p.client.Chain("v3/merchant/media/video_upload").Upload(ctx, wxpay.FileAt(path))
	if err != nil {
		return "", err
	}
	return res.Get("media_id").String(), nil
}

// Apply hands an application in. The client encrypts names and numbers.
func (p *Provider) Apply(ctx context.Context, a *Application) (int64, error) {
	res, err := p.client.Chain("v3/applyment4sub/applyment/").Post(ctx, a)
	if err != nil {
		return 0, err
	}
	return res.Int("applyment_id")
}

// Progress is how far an application has come.
type Progress struct {
	State    string
	Message  string
	SubMchID string
	SignURL  string
	Faults   []string
}

// Applied asks about an application by the provider's own number.
func (p *Provider) Applied(ctx context.Context, businessCode string) (*Progress, error) {
	res, err := p.client.Chain("v3/applyment4sub/applyment/business_code/{business_code}", businessCode).Get(ctx)
	if err != nil {
		return nil, err
	}
	progress := &Progress{
		State:    res.Get("applyment_state").String(),
		Message:  res.Get("applyment_state_msg").String(),
		SubMchID: res.Get("sub_mchid").String(),
		SignURL:  res.Get("sign_url").String(),
	}
	for _, fault := range res.Get("audit_detail").Array() {
		progress.Faults = append(progress.Faults, fault.Get("field_name").String()+": "+fault.Get("reject_reason").String())
	}
	switch progress.State {
	case "APPLYMENT_STATE_FINISHED":
		if progress.SubMchID == "" {
			return nil, errors.New("a finished application has no number")
		}
	case "APPLYMENT_STATE_REJECTED":
		if len(progress.Faults) == 0 {
			progress.Faults = []string{progress.Message}
		}
	}
	return progress, nil
}

// Settlement shows the bank account of a shop, whose number arrives masked.
func (p *Provider) Settlement(ctx context.Context, shop *Shop) (bank, account string, err error) {
	res, err := p.client.Chain("v3/apply4sub/sub_merchants/{sub_mchid}/settlement", shop.SubMchID).Get(ctx)
	if err != nil {
		return "", "", err
	}
	if err := res.Need("account_bank", "account_number"); err != nil {
		return "", "", err
	}
	return res.Get("account_bank").String(), res.Get("account_number").String(), nil
}

// Individual fills an application for a person who sells alone.
func Individual(code string, id IDCardInfo, phone, email, shortname string) *Application {
	return &Application{
		BusinessCode: code,
		Contact:      ContactInfo{ContactType: "LEGAL", ContactName: id.IDCardName, ContactIDNumber: id.IDCardNumber, MobilePhone: phone, ContactEmail: email},
		Subject:      SubjectInfo{SubjectType: "SUBJECT_TYPE_INDIVIDUAL", IdentityInfo: IdentityInfo{IDDocType: "IDENTIFICATION_TYPE_IDCARD", IDCardInfo: &id}},
		Business: BusinessInfo{
			MerchantShortname: shortname, ServicePhone: phone,
			SalesInfo: SalesInfo{SalesScenesType: []string{"SALES_SCENES_STORE"}},
		},
		Settlement: SettlementInfo{SettlementID: "719", QualificationType: "餐饮"},
	}
}
