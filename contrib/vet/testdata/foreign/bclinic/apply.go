package bclinic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/wxpay-go/wxpay"
)

// Form is what the clinic typed into our page, flat.
type Form map[string]string

// Files are pictures by field.
type Files map[string]string

var required = []string{
	"request_no", "license_no", "clinic", "legal", "id_name", "id_number", "id_begin", "id_end",
	"bank", "bank_area", "account", "account_name", "phone", "short",
}

func (f Form) check() error {
	var errs []error
	for _, k := range required {
		if f[k] == "" {
			errs = append(errs, fmt.Errorf("%s is missing", k))
		}
	}
	return errors.Join(errs...)
}

// upload puts all pictures up at once.
func (p Pay) upload(ctx context.Context, files Files) (map[string]string, error) {
	names := slices.Sorted(maps.Keys(files))
	futures := make([]*wxpay.Future, 0, len(names))
	for _, n := range names {
		futures = append(futures, p.C.Chain("v3/merchant/media/upload").UploadAsync(ctx, wxpay.FileAt(files[n])))
	}
	all, err := wxpay.WaitAll(ctx, futures...)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for i, res := range all {
		ids[names[i]] = res.Get("media_id").String()
	}
	return ids, nil
}

// Apply sends a clinic's application and returns its id.
func (p Pay) Apply(ctx context.Context, f Form, files Files) (int64, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	ids, err := p.upload(ctx, files)
	if err != nil {
		return 0, fmt.Errorf("pictures: %w", err)
	}
	res, err := p.C.Chain("v3/ecommerce/applyments/").Post(ctx, applyBody(f, ids))
	if err != nil {
		return 0, err
	}
	return res.Int("applyment_id")
}

func applyBody(f Form, ids map[string]string) wxpay.JSON {
	period, _ := json.Marshal([]string{f["license_begin"], or(f["license_end"], "长期")})
	return wxpay.JSON{
		"out_request_no":    f["request_no"],
		"organization_type": or(f["organization"], "2"),
		"business_license_info": wxpay.JSON{
			"business_license_copy":   ids["license"],
			"business_license_number": f["license_no"],
			"merchant_name":           f["clinic"],
			"legal_person":            f["legal"],
			"business_time":           string(period),
		},
		"id_holder_type": "LEGAL",
		"id_doc_type":    "IDENTIFICATION_TYPE_IDCARD",
		"id_card_info": wxpay.JSON{
			"id_card_copy":             ids["id_front"],
			"id_card_national":         ids["id_back"],
			"id_card_name":             f["id_name"],
			"id_card_number":           f["id_number"],
			"id_card_valid_time_begin": f["id_begin"],
			"id_card_valid_time":       f["id_end"],
		},
		"account_info": wxpay.JSON{
			"bank_account_type": or(f["account_type"], "75"), // 对公
			"account_bank":      f["bank"],
			"account_name":      f["account_name"],
			"bank_address_code": f["bank_area"],
			"account_number":    f["account"],
		},
		"contact_info": wxpay.JSON{
			"contact_type":           "65",
			"contact_name":           f["id_name"],
			"contact_id_card_number": f["id_number"],
			"mobile_phone":           f["phone"],
		},
		"sales_scene_info":   wxpay.JSON{"store_name": f["clinic"], "store_url": or(f["url"], "https://clinic.example.com")},
		"merchant_shortname": f["short"],
		"qualifications":     []string{ids["practice_licence"]},
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Progress is where an application is.
type Progress struct {
	State, Text, Sign, Sub string
	Rejected               map[string]string
	Transfer               string // what to transfer for the check of the account
}

// Progress asks for the state of an application.
func (p Pay) Progress(ctx context.Context, requestNo string) (Progress, error) {
	res, err := p.C.Chain("v3/ecommerce/applyments/out-request-no/{out_request_no}", requestNo).Get(ctx)
	if err != nil {
		return Progress{}, err
	}
	out := Progress{
		State: res.Get("applyment_state").String(),
		Text:  res.Get("applyment_state_desc").String(),
		Sign:  res.Get("sign_url").String(),
		Sub:   res.Get("sub_mchid").String(),
	}
	for _, d := range res.Get("audit_detail").Array() {
		if out.Rejected == nil {
			out.Rejected = map[string]string{}
		}
		out.Rejected[d.Get("param_name").String()] = d.Get("reject_reason").String()
	}
	if v := res.Get("account_validation"); v.Exists() && out.State == "ACCOUNT_NEED_VERIFY" {
		out.Transfer = fmt.Sprintf("请在 %s 前向 %s（%s）汇款 %s 元，备注 %s", v.Get("deadline"),
			v.Get("destination_account_name"), v.Get("destination_account_number"),
			yuan(v.Get("pay_amount").Int()), v.Get("remark"))
	}
	return out, nil
}

// PrintProgress is for the operator's shell.
func PrintProgress(ctx context.Context, numbers ...string) error {
	c, err := wxpay.FromEnv()
	if err != nil {
		return err
	}
	defer c.Close()
	p := Pay{C: c}
	w := json.NewEncoder(os.Stdout)
	for _, n := range numbers {
		pr, err := p.Progress(ctx, n)
		if err != nil {
			fmt.Fprintln(os.Stderr, n, err)
			continue
		}
		if err := w.Encode(pr); err != nil {
			return err
		}
	}
	return nil
}
