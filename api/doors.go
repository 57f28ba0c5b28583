package api

import "github.com/wxpay-go/wxpay"

// V3 begins a call to an operation beneath /v3, where almost all of them are.
func V3(client *wxpay.Client) V3Root { return V3Root{client} }

// HK begins a call to an operation beneath /hk/v3: cross-border acquiring in Hong Kong, superseded
// by /v3/global.
func HK(client *wxpay.Client) HKRoot { return HKRoot{client} }

// Global begins a call to an operation beneath /global/v3: the older customs operations. What is
// beneath /v3/global begins with V3(client).Global().
func Global(client *wxpay.Client) GlobalRoot { return GlobalRoot{client} }

// Invoicing begins a call to an operation beneath /invoicing.
func Invoicing(client *wxpay.Client) InvoicingRoot { return InvoicingRoot{client} }

// Brand begins a call to an operation beneath /brand, which a brand calls for itself: make the
// client with apiv3.Brand() as its [wxpay.WithScheme]. A provider's calls for a brand are beneath
// /v3 and begin with V3(client).Brand().
func Brand(client *wxpay.Client) BrandRoot { return BrandRoot{client} }

// V3Root is /v3.
type V3Root struct{ client *wxpay.Client }

// HKRoot is /hk/v3.
type HKRoot struct{ client *wxpay.Client }

// GlobalRoot is /global/v3.
type GlobalRoot struct{ client *wxpay.Client }

// InvoicingRoot is /invoicing.
type InvoicingRoot struct{ client *wxpay.Client }

// BrandRoot is /brand.
type BrandRoot struct{ client *wxpay.Client }
