package smoke

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/webhook"
)

// newReceiver returns the receiver of the run.
func (r *runner) newReceiver() (*receiver, error) {
	return newReceiver(
		webhook.Merchant{ID: r.client.MchID(), APIv3Key: r.apiv3Key, Keys: r.client},
		webhook.Payment{MchID: r.client.MchID(), AppID: r.appID, OutTradeNo: r.number, Total: total}, r.transcript)
}

// listenOn serves the receiver on an address until stop is called.
func (r *runner) listenOn(address string) (stop func(), err error) {
	if r.receiver, err = r.newReceiver(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, shell.Usage("--listen: %w", err)
	}
	server := &http.Server{Handler: r.receiver, ReadHeaderTimeout: 10 * time.Second, ErrorLog: nil}
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	go func() { _ = server.Serve(listener) }() // until stop closes it
	return func() { _ = server.Close() }, nil
}

// echo lets the platform send a notification that is about nothing, before any money moves.
func (r *runner) echo(ctx context.Context) {
	r.transcript.begin(stepEcho)
	ciphertext, serial, err := r.client.Encrypt(ctx, r.number)
	if err == nil {
		_, err = r.client.Chain("v3/security/echo").Header(apiv3.HeaderSerial, serial).Post(ctx, wxpay.JSON{
			"echo_message": r.number, "encrypted_echo_message": ciphertext, "notify_url": r.notifyURL,
		})
	}
	if err != nil {
		r.add(stepEcho, skipped, shell.Say("the platform does not send the notification: %s", shell.Plainly(err)))
		return
	}
	begun := time.Now()
	err, came := r.receiver.await(ctx, r.receiver.echoed, begun.Add(notifyWithin))
	if !came {
		r.add(stepEcho, unknown, shell.Say("no right notification within %s; %w", notifyWithin, err))
		return
	}
	r.add(stepEcho, done, shell.Say("the notification arrived after %s, verified and decrypted", since(begun)))
}

// notification tells what became of the notification of the payment.
func (r *runner) notification(ctx context.Context) {
	switch {
	case r.notifyURL == "":
		r.add(stepNotification, skipped, shell.Say("no --notify-url was given, so it is sent to an address that does not exist"))
		return
	case r.receiver == nil:
		r.add(stepNotification, skipped, shell.Say("it goes to %s: look there for order %s", r.notifyURL, r.number))
		return
	}
	err, came := r.receiver.await(ctx, r.receiver.paid, r.paidAt.Add(notifyWithin))
	switch {
	case !came:
		r.add(stepNotification, unknown, shell.Say("no right notification within %s; %w", notifyWithin, err))
	case err != nil:
		r.add(stepNotification, failed, shell.Say("it is genuine, and not as ordered: %s", shell.Plainly(err)))
	default:
		r.add(stepNotification, done, shell.Say("it arrived, is verified, and names order and sum"))
	}
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }
