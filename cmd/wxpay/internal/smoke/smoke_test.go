package smoke_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/smoke"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

func TestMain(m *testing.M) {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // its goroutine must not begin in a bubble
	os.Exit(m.Run())
}

// bench is a sandbox with a run on it, in one bubble.
type bench struct {
	*testing.T
	box   *sandbox.Sandbox
	out   bytes.Buffer // stdout
	errs  bytes.Buffer // stderr
	sh    *shell.Shell
	plan  func(event string) sandbox.Plan // of the notifications; nil if the run receives none
	after time.Duration                   // until an interrupt; negative for none
	run   *smoke.Run
}

func newBench(t *testing.T, about func(*bench, *smoke.Options), chinese bool) *bench {
	box, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { box.Close() })
	b := &bench{T: t, box: box, after: -1}
	b.sh = &shell.Shell{Stdin: strings.NewReader(""), Stdout: &b.out, Stderr: &b.errs, Chinese: chinese}
	b.run, err = smoke.NewRun(b.sh, b.connect, box.Merchant().APIv3Key, func(o *smoke.Options) {
		if about != nil {
			about(b, o)
		}
	})
	require.NoError(t, err)
	if b.plan != nil {
		box.Deliveries.To(b.run.Receiver())
		box.Deliveries.Plan(func(event, _ string) sandbox.Plan { return b.plan(event) })
	}
	return b
}

// receives lets the run receive its notifications, as planned.
func receives(plan func(event string) sandbox.Plan) func(*bench, *smoke.Options) {
	return func(b *bench, o *smoke.Options) {
		o.NotifyURL, o.Receives = notifyURL, true
		if b.plan = plan; plan == nil {
			b.plan = func(string) sandbox.Plan { return sandbox.Plan{} }
		}
	}
}

// late is a plan whose first attempt is late.
func late(is bool) sandbox.Plan {
	if is {
		return sandbox.Plan{After: time.Hour}
	}
	return sandbox.Plan{}
}

func inject(rules ...string) func(*bench, *smoke.Options) {
	return func(b *bench, _ *smoke.Options) { b.inject(rules...) }
}

func interrupted(after time.Duration) func(*bench, *smoke.Options) {
	return func(b *bench, _ *smoke.Options) { b.after = after }
}

// ends lets refunds end in a state.
func ends(state string) func(*bench, *smoke.Options) {
	return func(b *bench, _ *smoke.Options) {
		b.box.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending {
			if state == "PROCESSING" {
				return sandbox.Ending{After: -1}
			}
			return sandbox.Ending{State: state}
		})
	}
}

// refunded is how many refunds took effect.
func (b *bench) refunded() (n int) {
	for _, e := range b.box.Ledger.Effects(sandbox.RefundEffect) {
		if e.State == "SUCCESS" {
			n++
		}
	}
	return n
}

// start makes the run.
func (b *bench) start() (any, error) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	if b.after >= 0 {
		defer time.AfterFunc(b.after, cancel).Stop()
		if b.after == 0 {
			cancel()
		}
	}
	return b.run.Go(ctx)
}

// identifiesNobody looks for everything in the transcript by which somebody could be recognised.
func (b *bench) identifiesNobody(transcript any) {
	text, err := json.Marshal(transcript)
	require.NoError(b, err)
	merchant := b.box.Merchant()
	secrets := []string{
		"marked", merchant.ID, merchant.APIv3Key, merchant.Serial, b.box.Keys.PublicKeyID(), b.run.Number(), "wxd678efh567hg6787",
		"weixin://", "PRIVATE KEY",
	}
	for _, e := range b.box.Ledger.Effects() {
		secrets = append(secrets, e.Number)
	}
	for _, e := range b.box.Journal.All() {
		for _, message := range [][]byte{e.Body, e.ResponseBody} {
			secrets = append(secrets, values(message)...)
		}
		for name, list := range e.Header {
			if strings.HasPrefix(name, "Wechatpay-") || name == "Authorization" {
				secrets = append(secrets, list...)
			}
		}
	}
	require.NotEmpty(b, secrets)
	for _, secret := range secrets {
		assert.False(b, strings.Contains(string(text), secret), "%q is in %s", secret, text)
	}
}

// values are the texts and the long numbers of a JSON message, of at least six characters.
func values(message []byte) (list []string) {
	for _, m := range regexp.MustCompile(`:\s*"([^"]{6,})"|(\d{6,})`).FindAllSubmatch(message, -1) {
		if text := string(m[1]) + string(m[2]); !slices.Contains(public, text) {
			list = append(list, text)
		}
	}
	return list
}

// public are values that stand in a transcript for another reason: error codes, and a part of the names of events.
var public = []string{"SUCCESS", "NO_AUTH", "NO_STATEMENT_EXIST", "NOT_ENOUGH", "PARAM_ERROR", "ORDER_PAID", "ORDER_CLOSED", "ORDER_NOT_EXIST"}

func (b *bench) inject(rules ...string) {
	for _, text := range rules {
		rule, err := fault.Parse(text)
		require.NoError(b, err)
		require.NoError(b, b.box.Faults.Inject(rule))
	}
}

func (b *bench) connect(options ...wxpay.Option) (*wxpay.Client, error) {
	return wxpay.FromLookupEnv(b.box.LookupEnv, append(options, wxpay.WithTransport(b.box.Transport()), wxpay.WithLogger(slog.New(slog.DiscardHandler)))...)
}

// paysAfter lets the user pay after a time.
func (b *bench) paysAfter(wait time.Duration) {
	payment := time.AfterFunc(wait, func() {
		_, err := b.box.Users.Pay(b.run.Number())
		assert.NoError(b, err)
	})
	b.Cleanup(func() { payment.Stop() })
}

const notifyURL = "http://127.0.0.1:1/marked-notify"

// Each step fails once. The output says what happened, and the exit code what is known about the money. Money that is not
// known to be back is told with the command that resolves it.
func TestSteps(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		wait  time.Duration                    // until the user pays; 0 for never
		about func(b *bench, o *smoke.Options) // before the run
		code  int
		want  []string // lines of stdout; NUMBER is the order's
		paid  int      // payments that took effect
		back  int      // refunds that took effect
	}{
		{"all is well", 20 * time.Second, nil, 0, []string{
			"✓ done     keys          public key PUB_KEY_ID_", "signing, encrypting, verifying and decrypting",
			"✓ done     order         NUMBER, over 1 fen", "✓ done     payment       paid",
			"✓ done     refund        NUMBER-R succeeded", "– skipped  notification  no --notify-url was given, so it is sent to an address that does not exist",
			"– skipped  bill          the platform makes it tomorrow; after 10:00 in Beijing: wxpay smoke --bill 2000-01-01 --out-trade-no NUMBER",
			"One fen was taken and given back."}, 1, 1},
		{"a notification arrives", 20 * time.Second, receives(nil), 0, []string{
			"✓ done     echo          the notification arrived after ", "✓ done     notification  it arrived, is verified, and names order and sum"}, 1, 1},
		{"notifications are elsewhere", time.Second, func(_ *bench, o *smoke.Options) { o.NotifyURL = notifyURL }, 0, []string{
			"– skipped  notification  it goes to " + notifyURL + ": look there for order NUMBER"}, 1, 1},

		{"nothing is heard", 0, inject("reset-before count=99"), 1, []string{"✗ failed   keys          ", "– skipped  order         a key does not work", "No money moved."}, 0, 0},
		{"a key is wrong", 0, inject("wrong-signature path=/v3/security/echo count=99"), 1, []string{
			"✗ failed   keys          public key", "– skipped  order         a key does not work, so no order was sent; \"wxpay keys check\" tells more", "No money moved."}, 0, 0},
		{"the self-test is not open", time.Second, inject("refused-after path=/v3/security/echo count=99"), 0, []string{
			"– skipped  keys          public key", "is not open to this merchant, whose signature it accepts", "One fen was taken and given back."}, 1, 1},
		{"the echo does not arrive", 40 * time.Second, receives(func(event string) sandbox.Plan { return late(event == "SECURITY_ECHO.SUCCESS") }), 1, []string{
			"? unknown  echo          no right notification within 30s; nothing arrived: look at the name", "✓ done     notification", "One fen was taken and given back."}, 1, 1},
		{"the order is rejected", 0, inject("429 status=403 code=NO_AUTH path=/v3/pay/transactions/native count=99"), 1, []string{
			"✗ failed   order         the platform rejected it: ", "No money moved."}, 0, 0},
		{"nothing is heard of the order", 0, inject("reset-before path=/v3/pay/* count=9999"), 1, []string{
			"? unknown  order         it may be there, but nobody can pay it, since its code was not shown: ",
			"? unknown  payment       nobody can pay the order, but it could not be closed; it closes by itself at 2000-01-01 08:07:00: ", "No money moved."}, 0, 0},
		{"the response to the order is lost", time.Minute, inject("reset-after path=/v3/pay/transactions/native count=1"), 0, []string{
			"✓ done     order         NUMBER, over 1 fen", "One fen was taken and given back."}, 1, 1},
		{"every response to the order is lost", 0, inject("reset-after path=/v3/pay/transactions/native count=99"), 1, []string{
			"✗ failed   order         the platform has it, but gave no code_url, so nobody can pay it",
			"✗ failed   payment       nobody paid, and the order is closed", "No money moved."}, 0, 0},
		{"nobody pays", 0, nil, 1, []string{"✗ failed   payment       nobody paid, and the order is closed", "No money moved."}, 0, 0},
		{"an interrupt", 0, interrupted(7 * time.Second), 1, []string{"✗ failed   payment       nobody paid, and the order is closed", "No money moved."}, 0, 0},
		{"an interrupt before the order", 0, interrupted(0), 4, []string{"skipped  order", "No money moved."}, 0, 0},
		{"an interrupt as it is paid", 6500 * time.Millisecond, interrupted(7 * time.Second), 0, []string{
			"✓ done     payment       paid just before the order was closed", "✓ done     refund        NUMBER-R succeeded"}, 1, 1},
		{"queries fail for a time", 20 * time.Second, inject("502 path=/v3/pay/transactions/out-trade-no/* count=30"), 0, []string{"One fen was taken and given back."}, 1, 1},
		{"the order cannot be closed", 0, inject("refuse path=/v3/pay/transactions/out-trade-no/* count=9999"), 3, []string{
			"? unknown  payment       the order could not be closed: ", "It is not known whether order NUMBER was paid. It closes by itself at 2000-01-01 08:0",
			"To ask: wxpay resolve POST v3/pay/transactions/native NUMBER --get trade_state",
			"If that prints SUCCESS, give the fen back: wxpay call v3/refund/domestic/refunds --ensure"}, 0, 0},
		{"the refund is rejected", time.Second, inject("429 code=NOT_ENOUGH status=403 path=/v3/refund/domestic/refunds count=99"), 7, []string{
			"✗ failed   refund        ", "One fen was taken for order NUMBER, and is not given back.",
			"To give it back: wxpay call v3/refund/domestic/refunds --ensure --until-final -f out_trade_no=NUMBER -f out_refund_no=NUMBER-R"}, 1, 0},
		{"the response to the refund is lost", time.Second, inject("reset-after path=/v3/refund/domestic/refunds count=1"), 0, []string{
			"✓ done     refund        NUMBER-R succeeded"}, 1, 1},
		{"nothing is heard of the refund", time.Second, inject("reset-after path=/v3/refund/* count=9999"), 3, []string{
			"? unknown  refund        ", "and it is not known whether refund NUMBER-R took effect.",
			"To ask: wxpay resolve POST v3/refund/domestic/refunds NUMBER-R", "To give it back: wxpay call v3/refund/domestic/refunds --ensure --until-final --sent-before -f"}, 1, 1},
		{"the refund goes on for long", time.Second, ends("PROCESSING"), 3, []string{
			"? unknown  refund        the platform has taken it, and has not finished it within 3m0s", "its refund NUMBER-R is under way."}, 1, 0},
		{"the refund is abnormal", time.Second, ends("ABNORMAL"), 7, []string{
			"✗ failed   refund        it stands still until you act", "its refund NUMBER-R is abnormal."}, 1, 0},
		{"the refund is closed", time.Second, ends("CLOSED"), 7, []string{
			"✗ failed   refund        it ended without effect", "Look at the order in the merchant platform"}, 1, 0},
		{"the notification does not arrive", time.Second, receives(func(event string) sandbox.Plan { return late(event == "TRANSACTION.SUCCESS") }), 1, []string{
			"? unknown  notification  no right notification within 30s; nothing arrived", "One fen was taken and given back."}, 1, 1},
		{"the notification is forged", time.Second, receives(func(event string) sandbox.Plan {
			if event == "TRANSACTION.SUCCESS" {
				return sandbox.Plan{Faults: []fault.Kind{fault.WrongSignature}, Waits: []time.Duration{}}
			}
			return sandbox.Plan{}
		}), 1, []string{"? unknown  notification  no right notification within 30s; ", "signature", "One fen was taken and given back."}, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, test.about, false)
				if test.wait > 0 {
					b.paysAfter(test.wait)
				}
				transcript, err := b.start()
				out := strings.ReplaceAll(b.out.String(), b.run.Number(), "NUMBER")
				assert.Equal(t, test.code, shell.ExitCode(err), out)
				for _, want := range test.want {
					assert.Contains(t, out, want)
				}
				synctest.Wait()
				assert.Len(t, b.box.Ledger.Effects(sandbox.PaymentEffect), test.paid)
				assert.Equal(t, test.back, b.refunded())
				b.identifiesNobody(transcript)
				for _, l := range languages {
					lines := b.run.Lines(&shell.Shell{Chinese: l.chinese})
					text := strings.ReplaceAll(strings.Join(lines, "\n"), b.run.Number(), "NUMBER")
					text = attempts.ReplaceAllString(requestID.ReplaceAllString(text, "REQUEST-ID"), "last of N")
					fmt.Fprintf(l.golden, "# %s (%d)\n%s\n\n", test.name, test.code, text)
				}
			})
		})
	}
	for _, l := range languages {
		clitest.Golden(t, "testdata/steps."+l.name+".txt", l.golden.String())
	}
}

// What chance decides in a line: the id of a request, and how many of them the drawn pauses leave time for.
var (
	requestID = regexp.MustCompile(`[0-9A-F]{32}-\d+`)
	attempts  = regexp.MustCompile(`last of \d+`)
)

var languages = []struct {
	name    string
	chinese bool
	golden  *strings.Builder
}{{"en", false, new(strings.Builder)}, {"zh", true, new(strings.Builder)}}

// The bill of the next day has the payment and the refund, once each.
func TestBill(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		pay    bool
		number string // of the order that is looked up; empty for the right one
		later  time.Duration
		about  func(b *bench, o *smoke.Options)
		code   int
		want   []string
	}{
		{"both are there", true, "", 36 * time.Hour, nil, 0, []string{
			"✓ done     bill          the bill of 2000-01-01 has 2 rows", "✓ done     payment       the bill has it, with 1 fen", "✓ done     refund        the bill has it, with 1 fen"}},
		{"another order", true, "NONESUCH", 36 * time.Hour, nil, 1, []string{
			"✗ failed   payment       the bill has 0 rows of it, for order NONESUCH; what happened after midnight", "✗ failed   refund        the bill has 0 rows"}},
		{"a day without orders", false, "NONESUCH", 36 * time.Hour, nil, 1, []string{"✓ done     bill          the bill of 2000-01-01 has 0 rows", "✗ failed   payment"}},
		{"too early", true, "", time.Hour, nil, 1, []string{"✗ failed   bill          the platform has not made the bill of 2000-01-01 yet: ask again after 10:00"}},
		{"it is cut", true, "", 36 * time.Hour, inject("short-file path=/v3/billdownload/file count=99"), 1, []string{"✗ failed   bill          "}},
		{"the refund is under way", true, "", 36 * time.Hour, ends("PROCESSING"), 1, []string{
			"✓ done     payment       the bill has it, with 1 fen", "? unknown  refund        the bill has it in the state PROCESSING; to ask: wxpay resolve POST v3/refund/domestic/refunds "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, test.about, false)
				number := test.number
				if test.pay {
					b.paysAfter(time.Second)
					_, _ = b.start()
					number = cmp.Or(number, b.run.Number())
				}
				require.NoError(t, b.box.Clock.Jump(test.later))
				time.Sleep(test.later) // the client asks its own clock whether a bill is due
				b.out.Reset()
				var err error
				b.run, err = smoke.NewRun(b.sh, b.connect, b.box.Merchant().APIv3Key, func(o *smoke.Options) { o.Date, o.Number = "2000-01-01", number })
				require.NoError(t, err)
				transcript, err := b.run.Go(t.Context())
				assert.Equal(t, test.code, shell.ExitCode(err), b.out.String())
				for _, want := range test.want {
					assert.Contains(t, b.out.String(), want)
				}
				assert.NotContains(t, b.out.String(), "No money moved")
				b.identifiesNobody(transcript)
			})
		})
	}
}
