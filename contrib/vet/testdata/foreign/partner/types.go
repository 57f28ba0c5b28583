// Package partner is what a service provider does for the shops it looks after: it takes them in,
// receives payments for them, and shares the money.
package partner

import "time"

// Shop is a merchant that the provider looks after.
type Shop struct {
	ID        int64
	Name      string
	SubMchID  string
	SubAppID  string
	Rate      int64 // permyriad of each payment that the provider keeps
	Suspended bool
}

// Application is a shop that wants to be taken in.
type Application struct {
	BusinessCode string           `json:"business_code"`
	Contact      ContactInfo      `json:"contact_info"`
	Subject      SubjectInfo      `json:"subject_info"`
	Business     BusinessInfo     `json:"business_info"`
	Settlement   SettlementInfo   `json:"settlement_info"`
	BankAccount  *BankAccountInfo `json:"bank_account_info,omitempty"`
}

// ContactInfo is the person who signs.
type ContactInfo struct {
	ContactType     string `json:"contact_type"`
	ContactName     string `json:"contact_name"`
	ContactIDNumber string `json:"contact_id_number,omitempty"`
	MobilePhone     string `json:"mobile_phone"`
	ContactEmail    string `json:"contact_email"`
}

// SubjectInfo is the company.
type SubjectInfo struct {
	SubjectType         string               `json:"subject_type"`
	BusinessLicenseInfo *BusinessLicenseInfo `json:"business_license_info,omitempty"`
	IdentityInfo        IdentityInfo         `json:"identity_info"`
}

// BusinessLicenseInfo is its licence.
type BusinessLicenseInfo struct {
	LicenseCopy   string `json:"license_copy"`
	LicenseNumber string `json:"license_number"`
	MerchantName  string `json:"merchant_name"`
	LegalPerson   string `json:"legal_person"`
}

// IdentityInfo is its legal person.
type IdentityInfo struct {
	IDDocType  string      `json:"id_doc_type"`
	IDCardInfo *IDCardInfo `json:"id_card_info,omitempty"`
}

// IDCardInfo is an identity card.
type IDCardInfo struct {
	IDCardCopy      string `json:"id_card_copy"`
	IDCardNational  string `json:"id_card_national"`
	IDCardName      string `json:"id_card_name"`
	IDCardNumber    string `json:"id_card_number"`
	CardPeriodBegin string `json:"card_period_begin"`
	CardPeriodEnd   string `json:"card_period_end"`
}

// BusinessInfo is what the shop sells, and where.
type BusinessInfo struct {
	MerchantShortname string    `json:"merchant_shortname"`
	ServicePhone      string    `json:"service_phone"`
	SalesInfo         SalesInfo `json:"sales_info"`
}

// SalesInfo lists the places.
type SalesInfo struct {
	SalesScenesType []string         `json:"sales_scenes_type"`
	MiniProgramInfo *MiniProgramInfo `json:"mini_program_info,omitempty"`
}

// MiniProgramInfo is a mini program.
type MiniProgramInfo struct {
	MiniProgramAppID string   `json:"mini_program_appid,omitempty"`
	MiniProgramPics  []string `json:"mini_program_pics,omitempty"`
}

// SettlementInfo is the rule of settlement.
type SettlementInfo struct {
	SettlementID      string `json:"settlement_id"`
	QualificationType string `json:"qualification_type"`
}

// BankAccountInfo is where the money goes.
type BankAccountInfo struct {
	BankAccountType string `json:"bank_account_type"`
	AccountName     string `json:"account_name"`
	AccountBank     string `json:"account_bank"`
	BankAddressCode string `json:"bank_address_code"`
	AccountNumber   string `json:"account_number"`
}

// Order is a payment for a shop.
type Order struct {
	SpAppID     string      `json:"sp_appid,omitempty"`
	SpMchID     string      `json:"sp_mchid,omitempty"`
	SubAppID    string      `json:"sub_appid,omitempty"`
	SubMchID    string      `json:"sub_mchid"`
	Description string      `json:"description"`
	OutTradeNo  string      `json:"out_trade_no"`
	TimeExpire  *time.Time  `json:"time_expire,omitempty"`
	Attach      string      `json:"attach,omitempty"`
	NotifyURL   string      `json:"notify_url"`
	Amount      Money       `json:"amount"`
	Payer       *Payer      `json:"payer,omitempty"`
	SettleInfo  *SettleInfo `json:"settle_info,omitempty"`
	SceneInfo   *SceneInfo  `json:"scene_info,omitempty"`
}

// Money is an amount.
type Money struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency,omitempty"`
}

// Payer is the user.
type Payer struct {
	SpOpenID  string `json:"sp_openid,omitempty"`
	SubOpenID string `json:"sub_openid,omitempty"`
}

// SettleInfo says whether the money is shared.
type SettleInfo struct {
	ProfitSharing bool `json:"profit_sharing"`
}

// SceneInfo is where the user is.
type SceneInfo struct {
	PayerClientIP string     `json:"payer_client_ip"`
	DeviceID      string     `json:"device_id,omitempty"`
	StoreInfo     *StoreInfo `json:"store_info,omitempty"`
}

// StoreInfo is the place of the payment.
type StoreInfo struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Transaction is the answer to a query of an order.
type Transaction struct {
	SpMchID       string    `json:"sp_mchid"`
	SubMchID      string    `json:"sub_mchid"`
	OutTradeNo    string    `json:"out_trade_no"`
	TransactionID string    `json:"transaction_id"`
	TradeType     string    `json:"trade_type"`
	TradeState    string    `json:"trade_state"`
	StateDesc     string    `json:"trade_state_desc"`
	BankType      string    `json:"bank_type"`
	Attach        string    `json:"attach"`
	SuccessTime   time.Time `json:"success_time"`
	Payer         Payer     `json:"payer"`
	Amount        struct {
		Total         int64  `json:"total"`
		PayerTotal    int64  `json:"payer_total"`
		Currency      string `json:"currency"`
		PayerCurrency string `json:"payer_currency"`
	} `json:"amount"`
}

// Share is the division of one payment.
type Share struct {
	SubMchID        string     `json:"sub_mchid"`
	AppID           string     `json:"appid"`
	TransactionID   string     `json:"transaction_id"`
	OutOrderNo      string     `json:"out_order_no"`
	Receivers       []Receiver `json:"receivers"`
	UnfreezeUnsplit bool       `json:"unfreeze_unsplit"`
}

// Receiver gets a part.
type Receiver struct {
	Type        string `json:"type"`
	Account     string `json:"account"`
	Name        string `json:"name,omitempty"`
	Amount      int64  `json:"amount"`
	Description string `json:"description"`
}
