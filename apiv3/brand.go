package apiv3

// Brand returns the scheme WECHATPAY-BRAND-SHA256-RSA2048, with which a brand calls the paths under
// /brand/ itself: the messages and algorithms of [RSA], with brand_id instead of mchid. Responses
// and notifications carry its name as their signature type
// (https://pay.weixin.qq.com/doc/brand/4015407582, checked in November 2026).
func Brand() Scheme { return brandScheme{} }

type brandScheme struct{ rsaScheme }

var _ Scheme = brandScheme{}

const brandName = "WECHATPAY-BRAND-SHA256-RSA2048"

func (brandScheme) Name() string          { return brandName }
func (brandScheme) Identity() string      { return "brand_id" }
func (brandScheme) SignatureType() string { return brandName }
