package tasks_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/bench/tasks"
	"github.com/wxpay-go/wxpay/bench/tasks/attribute"
	"github.com/wxpay-go/wxpay/bench/tasks/declarative"
	"github.com/wxpay-go/wxpay/bench/tasks/gopay"
	"github.com/wxpay-go/wxpay/bench/tasks/official"
	"github.com/wxpay-go/wxpay/bench/tasks/pure"
	"github.com/wxpay-go/wxpay/bench/tasks/requests"
	"github.com/wxpay-go/wxpay/bench/tasks/resty"
	"github.com/wxpay-go/wxpay/bench/tasks/typed"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

var clients = map[string]func(tasks.Config) (tasks.Tasks, error){
	"declarative": declarative.New, "attribute": attribute.New, "pure": pure.New, "resty": resty.New, "requests": requests.New,
	"typed": typed.New, "official": official.New, "gopay": gopay.New,
}

const appID = "wxd678efh567hg6787"

// start returns a sandbox, and a client of it.
func start(t *testing.T, newClient func(tasks.Config) (tasks.Tasks, error), options ...sandbox.Option) (tasks.Tasks, *sandbox.Sandbox) {
	gateway, err := sandbox.New(options...)
	require.NoError(t, err)
	m := gateway.Merchant()
	require.NoError(t, gateway.Rules.Relax(sandbox.Rates))
	client, err := newClient(tasks.Config{
		MchID: m.ID, Serial: m.Serial, AppID: appID, APIv3Key: m.APIv3Key, PublicKeyID: gateway.Keys.PublicKeyID(), Key: m.PrivateKey,
		PublicKey: gateway.Keys.PublicKey(), Transport: gateway.Transport(),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, entry := range gateway.Journal.All() {
			if !entry.Verified && !strings.Contains(entry.Target, "/billdownload/") {
				t.Errorf("%s\n%s", entry, entry.Explanation)
			}
		}
	})
	return client, gateway
}

// each runs a test for every client.
func each(t *testing.T, test func(*testing.T, func(tasks.Config) (tasks.Tasks, error))) {
	for name, newClient := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newClient)
		})
	}
}

var order = tasks.Order{Number: "ABC-001", Description: "one cup", OpenID: "obLatjnx9gnqzS4myYGmLZ7LgLBA",
	NotifyURL: "https://www.example.com/notify", Total: 100}

func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, newClient func(tasks.Config) (tasks.Tasks, error)) {
		client, gateway := start(t, newClient)
		ctx := t.Context()
		id, err := client.Place(ctx, order)
		require.NoError(t, err)
		assert.NotEmpty(t, id)
		state, total, err := client.Query(ctx, order.Number)
		require.NoError(t, err)
		assert.Equal(t, "NOTPAY", state)
		assert.Equal(t, order.Total, total)
		require.NoError(t, client.CloseOrder(ctx, order.Number))
		state, _, err = client.Query(ctx, order.Number)
		require.NoError(t, err)
		assert.Equal(t, "CLOSED", state)
		_, _, err = client.Query(ctx, "NONE-1")
		require.Error(t, err, "a refusal is no success")
		assert.Len(t, gateway.Journal.All(), 5)
	})
}

// The response to the refund is lost, and the refund takes a while.
func TestRefund(t *testing.T) {
	each(t, func(t *testing.T, newClient func(tasks.Config) (tasks.Tasks, error)) {
		client, gateway := start(t, newClient)
		_, err := gateway.Users.AddPaidOrder(order.Number, 500)
		require.NoError(t, err)
		require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Method: "POST", Path: "/v3/refund/domestic/refunds", Count: 1}))
		gateway.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending {
			return sandbox.Ending{State: "SUCCESS", After: time.Second}
		})
		state, err := client.Refund(t.Context(), tasks.Refund{Number: "ABC-001-R1", OrderNumber: order.Number, Amount: 100, Total: 500})
		require.NoError(t, err)
		assert.Contains(t, []string{"SUCCESS", "succeeded"}, state)
		assert.Len(t, gateway.Ledger.Effects(sandbox.RefundEffect), 1)

		_, err = client.Refund(t.Context(), tasks.Refund{Number: "ABC-001-R2", OrderNumber: order.Number, Amount: 600, Total: 500})
		require.Error(t, err, "more than was paid")
	})
}

func TestComplaints(t *testing.T) {
	each(t, func(t *testing.T, newClient func(tasks.Config) (tasks.Tasks, error)) {
		client, gateway := start(t, newClient)
		var want []string
		for i := range 25 {
			number := fmt.Sprintf("ABC-%03d", i)
			_, err := gateway.Users.AddPaidOrder(number, 500)
			require.NoError(t, err)
			id, err := gateway.Users.Complain(sandbox.Complaint{OutTradeNo: number, Detail: "cold"})
			require.NoError(t, err)
			want = append(want, id)
		}
		now := time.Now()
		got, err := client.Complaints(t.Context(), now.AddDate(0, 0, -7), now)
		require.NoError(t, err)
		assert.ElementsMatch(t, want, got)
	})
}

func TestUpload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "照片 1.png")
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 8, 8))))
	require.NoError(t, os.WriteFile(path, picture.Bytes(), 0o600))
	for name, newClient := range clients {
		t.Run(name, func(t *testing.T) {
			client, _ := start(t, newClient)
			id, err := client.Upload(t.Context(), path)
			require.NoError(t, err)
			assert.NotEmpty(t, id)
		})
	}
}

func TestBill(t *testing.T) {
	sums, day := make(map[int64][]string), time.Now().AddDate(0, 0, -3)
	for name, newClient := range clients {
		client, _ := start(t, newClient, sandbox.WithBillRows(1000))
		sum, err := client.Bill(t.Context(), day)
		require.NoError(t, err, name)
		sums[sum] = append(sums[sum], name)
	}
	assert.Len(t, sums, 1, "all add up to the same: %v", sums)
	assert.NotContains(t, sums, int64(0))
}

func TestTransfer(t *testing.T) {
	each(t, func(t *testing.T, newClient func(tasks.Config) (tasks.Tasks, error)) {
		client, gateway := start(t, newClient)
		state, err := client.Transfer(t.Context(), tasks.Transfer{Number: "T20261122", OpenID: order.OpenID, UserName: "张三",
			Scene: "1000", Remark: "奖金", Amount: 200_000})
		require.NoError(t, err)
		assert.Equal(t, "WAIT_USER_CONFIRM", state)
		assert.NotContains(t, string(gateway.Journal.All()[0].Body), "张三")
	})
}

func TestNotifications(t *testing.T) {
	each(t, func(t *testing.T, newClient func(tasks.Config) (tasks.Tasks, error)) {
		client, gateway := start(t, newClient)
		var got []string
		handler, err := client.Notifications(func(number string, fen int64) error {
			got = append(got, fmt.Sprint(number, " ", fen))
			return nil
		})
		require.NoError(t, err)
		req, err := gateway.Deliveries.Notify("TRANSACTION.SUCCESS", map[string]any{"out_trade_no": "ABC-001", "amount": map[string]any{"total": 100}})
		require.NoError(t, err)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, req)
		assert.Less(t, answer.Code, 300)
		assert.Equal(t, []string{"ABC-001 100"}, got)

		forged, err := gateway.Deliveries.Notify("TRANSACTION.SUCCESS", map[string]any{"out_trade_no": "ABC-002", "amount": map[string]any{"total": 100}})
		require.NoError(t, err)
		forged.Header.Set("Wechatpay-Nonce", "0123456789")
		answer = httptest.NewRecorder()
		handler.ServeHTTP(answer, forged)
		assert.GreaterOrEqual(t, answer.Code, http.StatusBadRequest)
		assert.Len(t, got, 1)
	})
}

func applicant() *tasks.Applicant {
	a := &tasks.Applicant{BusinessCode: "1900013511_10000"}
	a.Contact.Type, a.Contact.Name, a.Contact.Number, a.Contact.Phone, a.Contact.Email = "LEGAL", "张三", "110101199003070000", "13900000000", "zhangsan@example.com"
	a.Subject.Type, a.Subject.Identity.DocType = "SUBJECT_TYPE_ENTERPRISE", "IDENTIFICATION_TYPE_IDCARD"
	card := &a.Subject.Identity.Card
	card.Copy, card.National, card.Name, card.Number, card.Begin, card.End = "media-1", "media-2", "张三", "110101199003070000", "2019-06-06", "2029-06-06"
	for i := range 4 {
		a.Subject.Owners = append(a.Subject.Owners, tasks.Owner{DocType: "IDENTIFICATION_TYPE_IDCARD", Name: "李四",
			Number: fmt.Sprintf("11010119900307%04d", i), Address: "深圳市南山区"})
	}
	a.Business.Name, a.Business.Phone, a.Business.Sales.Scenes = "张三餐饮店", "0755222222", []string{"SALES_SCENES_STORE"}
	a.Settlement.ID = "719"
	a.Account.Type, a.Account.Bank, a.Account.Area, a.Account.Name, a.Account.Number = "BANK_ACCOUNT_TYPE_CORPORATE", "工商银行", "440305", "张三餐饮店", "6222000000000000"
	return a
}

func TestApply(t *testing.T) {
	each(t, func(t *testing.T, newClient func(tasks.Config) (tasks.Tasks, error)) {
		client, gateway := start(t, newClient)
		a := applicant()
		id, err := client.Apply(t.Context(), a)
		require.NoError(t, err)
		assert.NotZero(t, id)
		assert.Equal(t, applicant(), a, "the caller's applicant stays as it is")
		sent := string(gateway.Journal.All()[0].Body)
		for _, secret := range []string{"张三\"", "李四", "1101011990", "13900000000", "zhangsan@", "6222000000000000", "南山区"} {
			assert.NotContains(t, sent, secret)
		}
		assert.Equal(t, 20, strings.Count(sent, `=="`), "2048 bits are 344 characters, of which the last two are =")
	})
}
