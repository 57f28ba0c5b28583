package bschool

// ApplymentRequest 特约商户进件请求。敏感字段由 SDK 按目录自动加密，这里填明文。
type ApplymentRequest struct {
	BusinessCode    string           `json:"business_code"`
	ContactInfo     *ContactInfo     `json:"contact_info"`
	SubjectInfo     *SubjectInfo     `json:"subject_info"`
	BusinessInfo    *BusinessInfo    `json:"business_info"`
	SettlementInfo  *SettlementInfo  `json:"settlement_info"`
	BankAccountInfo *BankAccountInfo `json:"bank_account_info"`
	AdditionInfo    *AdditionInfo    `json:"addition_info,omitempty"`
}

// ContactInfo 超级管理员信息。
type ContactInfo struct {
	ContactType          string `json:"contact_type,omitempty"`
	ContactName          string `json:"contact_name"` // 敏感
	ContactIDDocType     string `json:"contact_id_doc_type,omitempty"`
	ContactIDNumber      string `json:"contact_id_number,omitempty"` // 敏感
	ContactIDDocCopy     string `json:"contact_id_doc_copy,omitempty"`
	ContactIDDocCopyBack string `json:"contact_id_doc_copy_back,omitempty"`
	ContactPeriodBegin   string `json:"contact_period_begin,omitempty"`
	ContactPeriodEnd     string `json:"contact_period_end,omitempty"`
	AuthorizationLetter  string `json:"business_authorization_letter,omitempty"`
	OpenID               string `json:"openid,omitempty"`
	MobilePhone          string `json:"mobile_phone"`  // 敏感
	ContactEmail         string `json:"contact_email"` // 敏感
}

// SubjectInfo 主体资料。
type SubjectInfo struct {
	SubjectType           string               `json:"subject_type"`
	FinanceInstitution    bool                 `json:"finance_institution"`
	BusinessLicenseInfo   *BusinessLicenseInfo `json:"business_license_info,omitempty"`
	CertificateInfo       *CertificateInfo     `json:"certificate_info,omitempty"`
	CertificateLetterCopy string               `json:"certificate_letter_copy,omitempty"`
	IdentityInfo          *IdentityInfo        `json:"identity_info"`
	UboInfoList           []UboInfo            `json:"ubo_info_list,omitempty"`
}

// BusinessLicenseInfo 营业执照（民办培训机构）。
type BusinessLicenseInfo struct {
	LicenseCopy    string `json:"license_copy"`
	LicenseNumber  string `json:"license_number"`
	MerchantName   string `json:"merchant_name"`
	LegalPerson    string `json:"legal_person"`
	LicenseAddress string `json:"license_address,omitempty"`
	PeriodBegin    string `json:"period_begin,omitempty"`
	PeriodEnd      string `json:"period_end,omitempty"`
}

// CertificateInfo 事业单位法人证书（公办学校）。
type CertificateInfo struct {
	CertCopy       string `json:"cert_copy"`
	CertType       string `json:"cert_type"`
	CertNumber     string `json:"cert_number"`
	MerchantName   string `json:"merchant_name"`
	CompanyAddress string `json:"company_address"`
	LegalPerson    string `json:"legal_person"`
	PeriodBegin    string `json:"period_begin,omitempty"`
	PeriodEnd      string `json:"period_end,omitempty"`
}

// IdentityInfo 法人身份证件。
type IdentityInfo struct {
	IDHolderType string      `json:"id_holder_type,omitempty"`
	IDDocType    string      `json:"id_doc_type"`
	IDCardInfo   *IDCardInfo `json:"id_card_info,omitempty"`
	Owner        bool        `json:"owner"`
}

// IDCardInfo 身份证。
type IDCardInfo struct {
	IDCardCopy      string `json:"id_card_copy"`
	IDCardNational  string `json:"id_card_national"`
	IDCardName      string `json:"id_card_name"`              // 敏感
	IDCardNumber    string `json:"id_card_number"`            // 敏感
	IDCardAddress   string `json:"id_card_address,omitempty"` // 敏感
	CardPeriodBegin string `json:"card_period_begin"`
	CardPeriodEnd   string `json:"card_period_end"`
}

// UboInfo 最终受益人。
type UboInfo struct {
	UboIDDocType     string `json:"ubo_id_doc_type"`
	UboIDDocCopy     string `json:"ubo_id_doc_copy,omitempty"`
	UboIDDocCopyBack string `json:"ubo_id_doc_copy_back,omitempty"`
	UboIDDocName     string `json:"ubo_id_doc_name"`              // 敏感
	UboIDDocNumber   string `json:"ubo_id_doc_number,omitempty"`  // 敏感
	UboIDDocAddress  string `json:"ubo_id_doc_address,omitempty"` // 敏感
	UboPeriodBegin   string `json:"ubo_period_begin,omitempty"`
	UboPeriodEnd     string `json:"ubo_period_end,omitempty"`
}

// BusinessInfo 经营资料。
type BusinessInfo struct {
	MerchantShortname string     `json:"merchant_shortname"`
	ServicePhone      string     `json:"service_phone"`
	SalesInfo         *SalesInfo `json:"sales_info"`
}

// SalesInfo 经营场景。
type SalesInfo struct {
	SalesScenesType []string      `json:"sales_scenes_type"`
	BizStoreInfo    *BizStoreInfo `json:"biz_store_info,omitempty"`
	MpInfo          *MpInfo       `json:"mp_info,omitempty"`
}

// BizStoreInfo 线下场所。
type BizStoreInfo struct {
	BizStoreName     string   `json:"biz_store_name"`
	BizAddressCode   string   `json:"biz_address_code"`
	BizStoreAddress  string   `json:"biz_store_address"`
	StoreEntrancePic []string `json:"store_entrance_pic"`
	IndoorPic        []string `json:"indoor_pic"`
}

// MpInfo 公众号。
type MpInfo struct {
	MpAppid    string   `json:"mp_appid,omitempty"`
	MpSubAppid string   `json:"mp_sub_appid,omitempty"`
	MpPics     []string `json:"mp_pics,omitempty"`
}

// SettlementInfo 结算规则。
type SettlementInfo struct {
	SettlementID      string   `json:"settlement_id,omitempty"`
	QualificationType string   `json:"qualification_type,omitempty"`
	Qualifications    []string `json:"qualifications,omitempty"`
	ActivitiesID      string   `json:"activities_id,omitempty"`
	ActivitiesRate    string   `json:"activities_rate,omitempty"`
}

// BankAccountInfo 结算账户。
type BankAccountInfo struct {
	BankAccountType string `json:"bank_account_type"`
	AccountName     string `json:"account_name"` // 敏感
	AccountBank     string `json:"account_bank"`
	BankAddressCode string `json:"bank_address_code"`
	BankBranchID    string `json:"bank_branch_id,omitempty"`
	BankName        string `json:"bank_name,omitempty"`
	AccountNumber   string `json:"account_number,omitempty"` // 敏感
}

// AdditionInfo 补充材料。
type AdditionInfo struct {
	LegalPersonCommitment string   `json:"legal_person_commitment,omitempty"`
	BusinessAdditionPics  []string `json:"business_addition_pics,omitempty"`
	BusinessAdditionMsg   string   `json:"business_addition_msg,omitempty"`
}

// ApplymentStatus 进件状态。
type ApplymentStatus struct {
	BusinessCode      string         `json:"business_code"`
	ApplymentID       int64          `json:"applyment_id"`
	SubMchid          string         `json:"sub_mchid"`
	SignURL           string         `json:"sign_url"`
	ApplymentState    ApplymentState `json:"applyment_state"`
	ApplymentStateMsg string         `json:"applyment_state_msg"`
	AuditDetail       []AuditDetail  `json:"audit_detail"`
}

// AuditDetail 驳回原因。
type AuditDetail struct {
	Field        string `json:"field"`
	FieldName    string `json:"field_name"`
	RejectReason string `json:"reject_reason"`
}

// PartnerOrderRequest 服务商下单请求。
type PartnerOrderRequest struct {
	SpAppid       string      `json:"sp_appid"`
	SpMchid       string      `json:"sp_mchid"`
	SubAppid      string      `json:"sub_appid,omitempty"`
	SubMchid      string      `json:"sub_mchid"`
	Description   string      `json:"description"`
	OutTradeNo    string      `json:"out_trade_no"`
	TimeExpire    string      `json:"time_expire,omitempty"`
	Attach        string      `json:"attach,omitempty"`
	NotifyURL     string      `json:"notify_url"`
	LimitPay      []string    `json:"limit_pay,omitempty"`
	SupportFapiao bool        `json:"support_fapiao,omitempty"`
	SettleInfo    *SettleInfo `json:"settle_info,omitempty"`
	Amount        *Amount     `json:"amount"`
	Payer         *Payer      `json:"payer,omitempty"`
	Detail        *Detail     `json:"detail,omitempty"`
	SceneInfo     *SceneInfo  `json:"scene_info,omitempty"`
}

// SettleInfo 结算信息。
type SettleInfo struct {
	ProfitSharing bool `json:"profit_sharing"`
}

// Amount 订单金额，单位分。
type Amount struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency,omitempty"`
}

// Payer 支付者，二选一。
type Payer struct {
	SpOpenid  string `json:"sp_openid,omitempty"`
	SubOpenid string `json:"sub_openid,omitempty"`
}

// Detail 优惠功能。
type Detail struct {
	CostPrice   int64         `json:"cost_price,omitempty"`
	InvoiceID   string        `json:"invoice_id,omitempty"`
	GoodsDetail []GoodsDetail `json:"goods_detail,omitempty"`
}

// GoodsDetail 单品。
type GoodsDetail struct {
	MerchantGoodsID string `json:"merchant_goods_id"`
	GoodsName       string `json:"goods_name,omitempty"`
	Quantity        int    `json:"quantity"`
	UnitPrice       int64  `json:"unit_price"`
}

// SceneInfo 场景信息。
type SceneInfo struct {
	PayerClientIP string     `json:"payer_client_ip"`
	DeviceID      string     `json:"device_id,omitempty"`
	StoreInfo     *StoreInfo `json:"store_info,omitempty"`
}

// StoreInfo 校区。
type StoreInfo struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	AreaCode string `json:"area_code,omitempty"`
	Address  string `json:"address,omitempty"`
}

// PartnerTransaction 查单结果，也是支付通知里 resource 的结构。
type PartnerTransaction struct {
	SpAppid        string     `json:"sp_appid"`
	SpMchid        string     `json:"sp_mchid"`
	SubAppid       string     `json:"sub_appid"`
	SubMchid       string     `json:"sub_mchid"`
	OutTradeNo     string     `json:"out_trade_no"`
	TransactionID  string     `json:"transaction_id"`
	TradeType      string     `json:"trade_type"`
	TradeState     TradeState `json:"trade_state"`
	TradeStateDesc string     `json:"trade_state_desc"`
	BankType       string     `json:"bank_type"`
	Attach         string     `json:"attach"`
	SuccessTime    string     `json:"success_time"`
	Payer          Payer      `json:"payer"`
	Amount         struct {
		Total      int64  `json:"total"`
		PayerTotal int64  `json:"payer_total"`
		Currency   string `json:"currency"`
	} `json:"amount"`
}

// RefundRequest 退款请求。
type RefundRequest struct {
	SubMchid      string        `json:"sub_mchid"`
	TransactionID string        `json:"transaction_id,omitempty"`
	OutTradeNo    string        `json:"out_trade_no,omitempty"`
	OutRefundNo   string        `json:"out_refund_no"`
	Reason        string        `json:"reason,omitempty"`
	NotifyURL     string        `json:"notify_url,omitempty"`
	FundsAccount  string        `json:"funds_account,omitempty"`
	Amount        *RefundAmount `json:"amount"`
}

// RefundAmount 退款金额。
type RefundAmount struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

// RefundNotify 退款通知。
type RefundNotify struct {
	SpMchid       string       `json:"sp_mchid"`
	SubMchid      string       `json:"sub_mchid"`
	OutTradeNo    string       `json:"out_trade_no"`
	TransactionID string       `json:"transaction_id"`
	OutRefundNo   string       `json:"out_refund_no"`
	RefundID      string       `json:"refund_id"`
	RefundStatus  RefundStatus `json:"refund_status"`
	SuccessTime   string       `json:"success_time"`
	Amount        struct {
		Total       int64 `json:"total"`
		Refund      int64 `json:"refund"`
		PayerTotal  int64 `json:"payer_total"`
		PayerRefund int64 `json:"payer_refund"`
	} `json:"amount"`
}

// ModifySettlementRequest 修改结算账户。
type ModifySettlementRequest struct {
	AccountType     string `json:"account_type"`
	AccountBank     string `json:"account_bank"`
	BankAddressCode string `json:"bank_address_code,omitempty"`
	BankName        string `json:"bank_name,omitempty"`
	BankBranchID    string `json:"bank_branch_id,omitempty"`
	AccountNumber   string `json:"account_number"` // 敏感
	AccountName     string `json:"account_name,omitempty"`
}
