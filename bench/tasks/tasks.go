// Package tasks has ten pieces of work that a merchant's program does, each written in several
// clients for WeChat Pay as their users would write it. A test runs all of them against the
// sandbox; README.md has them counted.
//
//	go -C bench/tasks test ./...
//	go -C bench/tasks run ./cmd/table   # writes README.md's table anew
//
// Each client is a package beside this one. The three general HTTP clients (resty, requests, and a
// typed client in the manner of openai-go) share package plumbing: what their users write once, to
// sign, to verify and to encrypt.
package tasks

import (
	"context"
	"crypto/rsa"
	"net/http"
	"time"
)

// Config has the keys and addresses of a client.
type Config struct {
	MchID, Serial, AppID, APIv3Key, PublicKeyID string
	Key                                         *rsa.PrivateKey
	PublicKey                                   *rsa.PublicKey
	Transport                                   http.RoundTripper // leads to the sandbox, whatever host is named
}

// Order is a JSAPI order.
type Order struct {
	Number, Description, OpenID, NotifyURL string
	Total                                  int64 // fen
}

// Refund is a refund of a part of an order.
type Refund struct {
	Number, OrderNumber string
	Amount, Total       int64 // fen
}

// Transfer is a transfer to a user, whose name the platform compares.
type Transfer struct {
	Number, OpenID, UserName, Scene, Remark string
	Amount                                  int64 // fen
}

// Tasks is the work.
type Tasks interface {
	// Place places an order and returns the parameters for the front end.
	Place(ctx context.Context, o Order) (prepayID string, err error)
	// Query tells the state of an order and how many fen it is about.
	Query(ctx context.Context, number string) (state string, total int64, err error)
	// CloseOrder closes an order that nobody paid.
	CloseOrder(ctx context.Context, number string) error
	// Refund refunds, waits for the end, and tells it. It does not refund twice, whatever happens
	// on the way.
	Refund(ctx context.Context, r Refund) (state string, err error)
	// Complaints lists the ids of all complaints of some days, over all pages.
	Complaints(ctx context.Context, from, to time.Time) (ids []string, err error)
	// Upload uploads a picture.
	Upload(ctx context.Context, path string) (mediaID string, err error)
	// Bill adds up the order amounts in the trade bill of a day, in fen. It trusts no bill that
	// does not fit its digest.
	Bill(ctx context.Context, day time.Time) (fen int64, err error)
	// Transfer transfers to a user, whose name travels encrypted.
	Transfer(ctx context.Context, t Transfer) (state string, err error)
	// Notifications receives payment notifications and hands each to paid.
	Notifications(paid func(number string, fen int64) error) (http.Handler, error)
	// Apply submits an applicant. It sends twenty of the fields encrypted; the caller's applicant
	// stays unchanged.
	Apply(ctx context.Context, a *Applicant) (id int64, err error)
}

// Applicant is what a service provider submits of a merchant that wants to join: a type of the
// program's own. The tag encryption is for the official SDK.
type Applicant struct {
	BusinessCode string `json:"business_code"`
	Contact      struct {
		Type   string `json:"contact_type"`
		Name   string `json:"contact_name" encryption:"EM_APIV3"`
		Number string `json:"contact_id_number" encryption:"EM_APIV3"`
		Phone  string `json:"mobile_phone" encryption:"EM_APIV3"`
		Email  string `json:"contact_email" encryption:"EM_APIV3"`
	} `json:"contact_info"`
	Subject struct {
		Type     string `json:"subject_type"`
		Identity struct {
			DocType string `json:"id_doc_type"`
			Card    struct {
				Copy     string `json:"id_card_copy"`
				National string `json:"id_card_national"`
				Name     string `json:"id_card_name" encryption:"EM_APIV3"`
				Number   string `json:"id_card_number" encryption:"EM_APIV3"`
				Begin    string `json:"card_period_begin"`
				End      string `json:"card_period_end"`
			} `json:"id_card_info"`
		} `json:"identity_info"`
		Owners []Owner `json:"ubo_info_list"`
	} `json:"subject_info"`
	Business struct {
		Name  string `json:"merchant_shortname"`
		Phone string `json:"service_phone"`
		Sales struct {
			Scenes []string `json:"sales_scenes_type"`
		} `json:"sales_info"`
	} `json:"business_info"`
	Settlement struct {
		ID string `json:"settlement_id"`
	} `json:"settlement_info"`
	Account struct {
		Type   string `json:"bank_account_type"`
		Bank   string `json:"account_bank"`
		Area   string `json:"bank_address_code"`
		Name   string `json:"account_name" encryption:"EM_APIV3"`
		Number string `json:"account_number" encryption:"EM_APIV3"`
	} `json:"bank_account_info"`
}

// Owner is who owns a part of the applicant.
type Owner struct {
	DocType string `json:"ubo_id_doc_type"`
	Name    string `json:"ubo_id_doc_name" encryption:"EM_APIV3"`
	Number  string `json:"ubo_id_doc_number" encryption:"EM_APIV3"`
	Address string `json:"ubo_id_doc_address" encryption:"EM_APIV3"`
}
