package apiv3

// Brand returns the scheme WECHATPAY-BRAND-SHA256-RSA2048, by which a brand calls the paths under /brand/ for itself:
// the same messages and algorithms as [RSA], with brand_id in place of mchid. Answers and notifications carry the same
// name as their signature type (https://pay.weixin.qq.com/doc/brand/4015407582, checked in November 2026).
func Brand() Scheme { return brandScheme{} }

type brandScheme struct{ rsaScheme }

var _ Scheme = brandScheme{}

const brandName = "WECHATPAY-BRAND-SHA256-RSA2048"

func (brandScheme) Name() string          { return brandName }
func (brandScheme) Identity() string      { return "brand_id" }
func (brandScheme) SignatureType() string { return brandName }
