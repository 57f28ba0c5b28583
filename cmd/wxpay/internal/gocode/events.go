package gocode

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// families lists the product families that get the events whose types begin alike. The catalogue names no family of an
// event: these follow its official name, and the manual in which its pages stand (30 November 2026). An event without a
// family concerns the whole account.
var families = []struct {
	beginning string
	tags      []string
}{
	{"ABNORMAL_FUND_PROCESSING.", nil},
	{"APPLYMENT_STATE.", []string{"跨境/H5权限"}},
	{"BLOCKRECORD.", []string{"商户管理记录"}},
	{"BLOCKSUBMISSION.", []string{"商户管理记录"}},
	{"BRAND_MEMBER_CARD", []string{"商家名片会员"}},
	{"BUDGET.", []string{"资金应用/公益捐赠"}},
	{"COMPLAINT.", []string{"风险合规/消费者投诉"}},
	{"COUPON.", []string{"运营工具/商家券", "运营工具/代金券"}},
	{"CREDIT_REPAYMENT.", []string{"自动还款"}},
	{"CROSS_BORDER_PAY.", []string{"跨境/支付"}},
	{"DELIVERY_PLAN.", []string{"运营工具/商品券"}},
	{"DISCOUNT_CARD.", []string{"支付分/先享卡"}},
	{"ECOMMERCE_ENTRUST.", []string{"收付通/合单代扣"}},
	{"EDU_SCHOOL_PAY.", []string{"校园轻松付"}},
	{"ENTRUST.", []string{"委托代扣", "教育续费通"}},
	{"FACEPAY.", []string{"刷脸支付"}},
	{"FAPIAO.", []string{"经营工具/电子发票"}},
	{"HIRE_POWER_BANK.", []string{"租用充电宝/隔夜归还"}},
	{"INSURANCE_ENTRUST.", []string{"委托代扣/保险业"}},
	{"INSURANCE_POLICY_MANAGEMENT.", []string{"微信保单服务"}},
	{"MALL_", []string{"经营工具/智慧商圈"}},
	{"MANAGERECORD.", []string{"商户管理记录"}},
	{"MCHTRANSFER.AUTHORIZATION.", []string{"资金应用/转账/用户确认模式"}},
	{"MCHTRANSFER.BATCH.", []string{"资金应用/转账"}},
	{"MCHTRANSFER.BILL.", []string{"资金应用/转账/用户确认模式"}},
	{"MCHTRANSFER.QQWALLETBILL.", []string{"资金应用/转账/QQ钱包"}},
	{"MCHWITHDRAW.", []string{"收付通/提现"}},
	{"MEDICAL_INSURANCE.", []string{"医保支付"}},
	{"MEMBERCARD.", []string{"会员卡"}},
	{"MERCHANT_NOTIFY.", nil},
	{"PAPAY.", []string{"跨境/代扣"}},
	{"PARKING_FEE.", []string{"停车缴费服务"}},
	{"PAYSCORE.", []string{"支付分"}},
	{"PRODUCT_COUPON", []string{"运营工具/商品券"}},
	{"PROFITSHARING.", []string{"资金应用/分账", "收付通/分账", "经营工具/连锁品牌/分账"}},
	{"RECHARGE.", []string{"收付通/充值", "商家充值"}},
	{"REFUND.", []string{"基础支付/退款", "收付通/退款", "跨境/退款", "支付分"}},
	{"RISKTRADE.", []string{"风险管理"}},
	{"SECURITY_ECHO.", nil},
	{"SETTLEMENT.", []string{"收付通/个人收款"}},
	{"TRANSACTION.FAIL", []string{"支付分/停车服务"}},
	{"TRANSACTION.INDUSTRY_", []string{"校园轻松付"}},
	{"TRANSACTION.PAY_BACK", []string{"校园轻松付"}},
	{"TRANSACTION.SUCCESS", []string{"基础支付", "收付通/支付", "收付通/合单", "收付通/个人收款", "跨境/支付", "医保支付", "支付分/停车服务"}},
	{"VEHICLE.ENTRANCE_STATE_CHANGE", []string{"支付分/停车服务"}},
	{"VEHICLE.USER_STATE_CHANGE", []string{"ETC授权扣费"}},
	{"VIOLATION.", []string{"风险合规/商户违规通知"}},
	{"WEBIZPAY.", []string{"企业支付"}},
}

// Families returns the product families that get an event.
func Families(event *fact.Event) []string {
	for _, f := range families {
		if strings.HasPrefix(event.Type, f.beginning) {
			return f.tags
		}
	}
	return nil
}

// Handler returns statements that register a function for a notification. They belong in a function with handler, a
// *webhook.Handler.
func Handler(event *fact.Event, l language.Language) string {
	var reads strings.Builder
	for i := range event.Resource {
		if field := &event.Resource[i]; field.Required && field.Type == fact.String && reads.Len() == 0 {
			fmt.Fprintf(&reads, "\tnumber, err := e.Text(%q) // %s\n\tif err != nil {\n\t\treturn err\n\t}\n\t_ = number\n", field.Name,
				strings.Join(strings.Fields(field.Label), " "))
		}
	}
	return fmt.Sprintf("handler.On(%q, func(ctx context.Context, e *webhook.Event) error {\n\t// %s\n%s\treturn nil // %s\n})\n",
		event.Type, l.Say("verified and decrypted; the same event may come again", "已验签、解密；同一通知可能再次到达"), reads.String(),
		l.Say("done: an error lets it come again", "处理完成；返回错误则会再次通知"))
}
