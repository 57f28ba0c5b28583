package wxpay

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// WithCertificates has the client fetch the platform's certificates itself and follow their rotation. It needs
// Merchant.APIv3Key, under which the platform encrypts them.
//
// Nothing is fetched by [New]. The first call that needs a key fetches the list; later ones have it read again when it
// is older than the interval, without waiting, and an answer or a notification that names a certificate nobody knows
// waits for it to be read again. While a refresh fails the certificates at hand stay in use; the failure is logged,
// observed as the call that it is, and told by [Client.KeyStatus]. A refresh runs on a goroutine that ends with it; there
// is no other, unless you run [Client.WatchKeys].
//
// The list is trusted as the platform documents it (https://pay.weixin.qq.com/doc/v3/merchant/4012551764): it decrypts
// with the APIv3 key, and its signature verifies with the certificate in it that the answer names.
//
// A merchant who has only the WeChat Pay public key has no list: see [ErrNoCertificates]. Both options together are for the
// time of changing from one to the other; see [WithKeyPolicy].
func WithCertificates(options ...CertificatesOption) Option {
	return func(c *config) error {
		settings := certificateSettings{path: "v3/certificates", interval: defaultRefresh}
		var problems []error
		for _, option := range options {
			if option == nil {
				problems = append(problems, errors.New("WithCertificates: an option is nil"))
				continue
			}
			problems = append(problems, option(&settings))
		}
		if err := errors.Join(problems...); err != nil {
			c.keysFailed = true
			return err
		}
		c.certificates = &settings
		return nil
	}
}

// CertificatesOption changes how [WithCertificates] works.
type CertificatesOption func(*certificateSettings) error

type certificateSettings struct {
	path     string
	interval time.Duration
	roots    *x509.CertPool // nil: the chain is not checked
	store    KeyStore       // nil: every process fetches for itself
}

// The platform asks for the list to be read at intervals below 12 hours.
const (
	defaultRefresh = 6 * time.Hour
	longestRefresh = 12 * time.Hour
	nearestRefresh = time.Minute
)

// RefreshInterval sets how old the list may grow before it is read again: at least a minute and less than 12 hours, 6 hours
// by default. Up to a fifth of it is taken off at random, so that a fleet does not ask all at once.
func RefreshInterval(interval time.Duration) CertificatesOption {
	return func(s *certificateSettings) error {
		if interval < nearestRefresh || interval >= longestRefresh {
			return fmt.Errorf("RefreshInterval is %s, it must be at least %s and less than %s", interval, nearestRefresh, longestRefresh)
		}
		s.interval = interval
		return nil
	}
}

// TrustRoots also demands that every certificate was issued by one of roots (the platform's is Tenpay.com Root CA).
func TrustRoots(roots *x509.CertPool) CertificatesOption {
	return func(s *certificateSettings) error {
		if roots == nil {
			return errors.New("TrustRoots: the pool is nil")
		}
		s.roots = roots
		return nil
	}
}

// StoreIn keeps a copy of the list in store; see [FileStore].
func StoreIn(store KeyStore) CertificatesOption {
	return func(s *certificateSettings) error {
		if store == nil {
			return errors.New("StoreIn: the store is nil")
		}
		s.store = store
		return nil
	}
}

// GlobalCertificates reads the list of overseas merchants, /v3/global/certificates. It goes with
// WithBaseURL("https://apihk.mch.weixin.qq.com").
func GlobalCertificates() CertificatesOption {
	return func(s *certificateSettings) error {
		s.path = "v3/global/certificates"
		return nil
	}
}

// ErrNoCertificates means that the platform has no certificates for this merchant.
var ErrNoCertificates = fault.New("this merchant has no platform certificates, only the WeChat Pay public key: pass WithPublicKey(id, key) in place of WithCertificates, both are shown by the merchant platform under API security")

// KeysError means that the platform's certificates could not be fetched. It does not unwrap, since a refusal of the list
// must not be taken for a refusal of the call that waited for it; but it is ErrNoCertificates, a cancellation or a
// timeout where that is the cause.
type KeysError struct {
	// Cause is why; a refusal is an *APIError.
	Cause error
	// Next is when a call may have them fetched again; before that it fails at once.
	Next time.Time
}

func (e *KeysError) Error() string {
	text := "the platform certificates could not be fetched: " + strings.ReplaceAll(strings.TrimPrefix(e.Cause.Error(), "wxpay: "), "\n", "; ")
	if !e.Next.IsZero() {
		text += " (not tried again before " + e.Next.Format(time.TimeOnly) + ")"
	}
	return text
}

// Format prints the error's text under every verb.
func (e KeysError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e KeysError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Is reports the causes that a caller may act on: of a failed call for the list these few, of anything else all.
func (e *KeysError) Is(target error) bool {
	switch target {
	case ErrNoCertificates, context.Canceled, context.DeadlineExceeded, ErrClosed, apiv3.ErrDecrypt:
		return errors.Is(e.Cause, target)
	}
	var call *CallError
	var refusal *APIError
	return !errors.As(e.Cause, &call) && !errors.As(e.Cause, &refusal) && errors.Is(e.Cause, target)
}

// kind names the sort of failure for a log, which takes no texts of others.
func (e *KeysError) kind() string {
	var refusal *APIError
	var refused *VerifyError
	switch {
	case errors.Is(e.Cause, ErrNoCertificates):
		return "no certificates for this merchant"
	case errors.As(e.Cause, &refusal):
		return strings.TrimSpace(fmt.Sprintf("status %d %s", refusal.Status, redact.OneLine(string(refusal.Code))))
	case errors.Is(e.Cause, apiv3.ErrDecrypt):
		return "decryption failed, is the APIv3 key right?"
	case errors.As(e.Cause, &refused):
		return "unverified answer"
	case errors.Is(e.Cause, apiv3.ErrKey):
		return "no usable list"
	case errors.Is(e.Cause, context.DeadlineExceeded):
		return "timeout"
	case errors.As(e.Cause, new(*PanicError)), errors.Is(e.Cause, errExited):
		return "panic"
	}
	return "transport"
}

// ErrClosed means that the client was closed.
var ErrClosed = fault.New("the client is closed")

// certificateList is the platform's list as a client reads it: when, how, and what came of it.
type certificateList struct {
	certificateSettings
	keys   *platformKeys
	reader *Client       // makes the call; it knows no key but what the list brings
	fixed  *apiv3.KeySet // the keys that were configured, which stay whatever the list says
	ctx    context.Context
	close  context.CancelCauseFunc

	due atomic.Int64 // Unix nanoseconds from which a call has the list read again

	fetched []apiv3.PlatformKey // what the last list named, and what the one before it did; the running refresh's own

	mu       sync.Mutex
	running  *refresh   // the one under way, nil if there is none
	read     time.Time  // when the platform signed the last list; zero before the first
	retry    time.Time  // not before, after a failure
	failures int        // since the last success
	failure  *KeysError // of the last refresh, nil if it succeeded
	broken   []error    // entries of the last list that could not be used
	tokens   float64    // refreshes that unknown serials may still cause
	filled   time.Time  // when tokens was last brought up to date
}

// refresh is one reading of the list, shared by all who wait for it.
type refresh struct {
	done chan struct{}
	err  error // after done
}

// Unknown serials come from the outside, so what they can cause is limited: a few refreshes at once, then one a minute.
const (
	tokensMost  = 5
	tokenPeriod = time.Minute
)

// Pauses after failures: doubling from the first to the last, half of each at random. A merchant without certificates is
// asked for again after an hour.
const (
	pauseFirst = time.Second
	pauseLast  = 2 * time.Minute
	pauseNone  = time.Hour
)

// newCertificateList returns the list of a client whose keys are keys. It is read through a copy of the client whose
// pipeline verifies with what the answer itself brings.
func newCertificateList(c *Client, keys *platformKeys) *certificateList {
	l := &certificateList{certificateSettings: *c.certificates, keys: keys, fixed: keys.set.Load(), tokens: tokensMost}
	l.ctx, l.close = context.WithCancelCause(context.Background())
	reader := *c
	reader.keys = newPlatformKeys(new(apiv3.KeySet), c.clock, PreferPublicKey) // no key, so the request names none
	reader.assemble(introduction{l})
	l.reader = &reader
	return l
}

// ready makes sure that there is a key, waiting for the list if need be: if there is none at all, and before the first
// list if the policy wants certificates. A list that has grown old is read again without waiting.
func (l *certificateList) ready(ctx context.Context) error {
	now, due := l.keys.clock(), l.due.Load()
	_, usable := l.keys.choose()
	if usable && (due != 0 || l.keys.policy >= PreferPublicKey) {
		if now.UnixNano() >= due {
			_, _, _ = l.begin(reading{})
		}
		return nil
	}
	_, err := l.refresh(ctx, reading{})
	if usable {
		return nil
	}
	return err
}

// find has the list read again to find the certificate of an unknown serial.
func (l *certificateList) find(ctx context.Context, serial string) (apiv3.PlatformKey, error) {
	for {
		fresh, err := l.refresh(ctx, reading{want: serial})
		if err != nil {
			return apiv3.PlatformKey{}, err // not ErrUnknownSerial, for it may be a good one
		}
		key, err := l.keys.set.Load().Find(serial, l.keys.clock())
		// A reading that was under way already may have been answered before the platform knew the certificate.
		if fresh || !errors.Is(err, apiv3.ErrUnknownSerial) {
			return key, err
		}
	}
}

// reading says what the list is read for.
type reading struct {
	want   string // the unknown serial that is looked for; empty for none
	direct bool   // the store's copy will not do
	urgent bool   // no pause counts, and no token is spent
}

// refresh begins to read the list, or joins a reading that is under way, and waits for its end. fresh tells that the
// reading began here.
func (l *certificateList) refresh(ctx context.Context, what reading) (fresh bool, err error) {
	r, fresh, err := l.begin(what)
	if err != nil {
		return false, err
	}
	select {
	case <-r.done:
		return fresh, r.err
	case <-ctx.Done():
		return fresh, &KeysError{Cause: fault.Cause(ctx)}
	}
}

// begin begins to read the list, unless a reading is under way, which it returns, or must not begin yet.
func (l *certificateList) begin(what reading) (r *refresh, fresh bool, err error) {
	now := l.keys.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.running != nil:
		return l.running, false, nil
	case l.ctx.Err() != nil:
		return nil, false, &KeysError{Cause: ErrClosed}
	case what.urgent:
	case now.Before(l.retry):
		return nil, false, l.failure
	case (what.want != "" || what.direct) && !l.spend(now):
		return nil, false, fmt.Errorf("%w: the certificate list was read for unknown serials several times just now", apiv3.ErrUnknownSerial)
	}
	l.running = &refresh{done: make(chan struct{})}
	go l.run(l.running, what)
	return l.running, true, nil
}

// spend takes a token for a reading that the outside causes; l.mu is held.
func (l *certificateList) spend(now time.Time) bool {
	if !l.filled.IsZero() {
		l.tokens = min(tokensMost, l.tokens+max(0, now.Sub(l.filled).Seconds())/tokenPeriod.Seconds())
	}
	l.filled = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

// run reads the list once.
func (l *certificateList) run(r *refresh, what reading) {
	var since time.Time
	err := errExited
	defer func() { l.ended(r, what, since, err) }() // also when a middleware, a store or the like ends the goroutine
	defer caught("a middleware, a store or other code given to the client", &err)
	since, err = l.update(what)
}

// ended notes how a reading ended, and ends the waiting for it.
func (l *certificateList) ended(r *refresh, what reading, since time.Time, err error) {
	defer func() { // also when the logger panics: that must not end the process, nor the refreshing
		_ = recover()
		l.mu.Lock()
		l.running = nil
		l.mu.Unlock()
		close(r.done)
	}()
	l.mu.Lock()
	if err == nil {
		l.failures, l.failure, l.retry = 0, nil, time.Time{}
		l.due.Store(since.Add(l.interval - rand.N(l.interval/5)).UnixNano())
	} else {
		l.failures++
		pause := pauseNone
		if !errors.Is(err, ErrNoCertificates) {
			pause = min(pauseLast, pauseFirst<<min(l.failures-1, 10))
		}
		// By the wall clock, as all that is due is: the other one stands still while a machine sleeps.
		l.retry = l.keys.clock().Round(0).Add(pause/2 + rand.N(pause/2))
		l.failure = &KeysError{Cause: err, Next: l.retry}
		l.due.Store(l.retry.UnixNano())
		r.err = l.failure
	}
	record := l.record(what)
	l.mu.Unlock()
	record.log(l.reader.logger) // a logger may ask for the status
}

// update takes the list from the store if there is a newer copy that will do, else from the platform. since is from when on
// it ages: a fresh one from now, by this machine's clock, which decides when it is due.
func (l *certificateList) update(what reading) (since time.Time, err error) {
	name := l.reader.merchant.ID
	if l.store != nil && !what.direct && l.load(name, what.want) {
		return l.read, nil
	}
	res, err := l.reader.Chain(l.path).Get(l.ctx)
	if err != nil {
		if cause := context.Cause(l.ctx); cause != nil {
			return time.Time{}, cause
		}
		return time.Time{}, explainList(err)
	}
	signature, err := apiv3.ReadSignature(res.Header)
	if err == nil {
		err = l.adopt(res.Raw(), signature)
	}
	if err != nil {
		return time.Time{}, err
	}
	if l.store != nil {
		l.save(name, res)
	}
	return l.keys.clock(), nil
}

// explainList turns the two codes that say that there is no list into ErrNoCertificates. Documentation and libraries
// differ on the code.
func explainList(err error) error {
	var refusal *APIError
	var unverified *VerifyError
	switch {
	case errors.As(err, &refusal):
		if refusal.Status == http.StatusNotFound && (refusal.Code == wxcode.ResourceNotExists || refusal.Code == wxcode.NotFound) {
			return fmt.Errorf("%w (%w)", ErrNoCertificates, err)
		}
	case errors.As(err, &unverified) && unverified.Status == http.StatusNotFound:
		// Such a merchant's answers are signed with a public key that this client was not given.
		var body struct{ Code wxcode.Code }
		if json.Unmarshal(unverified.Body, &body) == nil && (body.Code == wxcode.ResourceNotExists || body.Code == wxcode.NotFound) {
			return fmt.Errorf("%w (%w)", ErrNoCertificates, err)
		}
	}
	return err
}

// adopt puts what a list brings in place of what the lists before it brought. signature is the list's own, verified.
func (l *certificateList) adopt(body []byte, signature apiv3.Signature) error {
	certificates, broken, err := apiv3.OpenCertificates([]byte(l.reader.apiv3Key()), body)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(signature.Timestamp, 10, 64)
	if err != nil {
		return err
	}
	now := l.keys.clock()
	listed := make([]apiv3.PlatformKey, 0, len(certificates)+1)
	for _, certificate := range certificates {
		if err := l.check(certificate, now); err != nil {
			broken = append(broken, fmt.Errorf("certificate %s: %w", apiv3.Serial(certificate), err))
			continue
		}
		listed = append(listed, apiv3.CertificateKey(certificate))
	}
	usable, err := apiv3.NewKeySet(listed...)
	if err != nil {
		return err
	}
	if _, ok := usable.Certificate(now); !ok {
		if len(broken) == 0 {
			broken = []error{errors.New("every certificate is outside its validity")}
		}
		return fmt.Errorf("the list has no certificate that can be used: %w", errors.Join(broken...))
	}
	// A certificate that the list no longer names signs no more, but what it has signed is good for the time that a
	// signature is good. If an entry is broken, nobody knows which one is gone.
	for _, key := range l.fetched {
		if _, err := usable.Find(key.Serial, now); !errors.Is(err, apiv3.ErrUnknownSerial) {
			continue
		}
		if _, err := l.fixed.Find(key.Serial, now); !errors.Is(err, apiv3.ErrUnknownSerial) {
			continue // the caller's stay whatever the list says
		}
		if end := now.Add(apiv3.Window); len(broken) == 0 && key.NotAfter.After(end) {
			key.NotAfter = end
		}
		if !now.After(key.NotAfter) {
			listed = append(listed, key)
		}
	}
	set, err := l.fixed.With(listed...)
	if err != nil {
		return err
	}
	l.keys.set.Store(set)
	l.fetched = listed
	l.mu.Lock()
	l.read, l.broken = time.Unix(seconds, 0), broken
	l.mu.Unlock()
	return nil
}

// check reports why a certificate of the list is not taken.
func (l *certificateList) check(certificate *x509.Certificate, now time.Time) error {
	if err := l.reader.scheme.CheckPublicKey(certificate.PublicKey); err != nil {
		return err
	}
	if l.roots == nil {
		return nil
	}
	_, err := certificate.Verify(x509.VerifyOptions{Roots: l.roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return errors.New("it was not issued by one of the roots given to TrustRoots")
	}
	return nil
}

// introduction finds the key that signed a certificate list: a known one, else in the list itself. The list's entries
// prove that whoever made them knows the APIv3 key.
type introduction struct{ list *certificateList }

var _ middleware.Keys = introduction{}

func (i introduction) Key(ctx context.Context, serial string) (crypto.PublicKey, error) {
	key, err := i.list.keys.set.Load().Find(serial, i.list.keys.clock())
	if !errors.Is(err, apiv3.ErrUnknownSerial) {
		return key.Key, err
	}
	return i.in(middleware.CallFrom(ctx).ResponseBody(), serial)
}

// in finds the certificate that serial names in the body of a list.
func (i introduction) in(body []byte, serial string) (crypto.PublicKey, error) {
	certificates, broken, err := apiv3.OpenCertificates([]byte(i.list.reader.apiv3Key()), body)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", apiv3.ErrUnknownSerial, err)
	}
	now := i.list.keys.clock()
	for _, certificate := range certificates {
		if apiv3.Serial(certificate) != serial {
			continue
		}
		if err := i.list.check(certificate, now); err != nil {
			return nil, err
		}
		set, err := apiv3.NewKeySet(apiv3.CertificateKey(certificate))
		if err != nil {
			return nil, err
		}
		key, err := set.Find(serial, now)
		return key.Key, err
	}
	return nil, errors.Join(append([]error{apiv3.ErrUnknownSerial}, broken...)...)
}

// storedList is the list as a KeyStore keeps it: what the platform answered, with the headers that its signature is in.
type storedList struct {
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// storeTimeout bounds one access to a store.
const storeTimeout = 5 * time.Second

// load takes the copy in the store, if it is newer than the list at hand (of one second there may be two) and will do.
func (l *certificateList) load(name, want string) bool {
	ctx, cancel := context.WithTimeout(l.ctx, storeTimeout)
	defer cancel()
	data, err := l.store.Load(ctx, name)
	if err == nil && data == nil {
		return false
	}
	var copied storedList
	var signature apiv3.Signature
	if err == nil {
		err = json.Unmarshal(data, &copied)
	}
	if err == nil {
		signature, err = apiv3.ReadSignature(copied.Header)
	}
	if err != nil {
		l.warn("wxpay stored certificate list not read", err)
		return false
	}
	seconds, err := strconv.ParseInt(signature.Timestamp, 10, 64)
	at, now := time.Unix(seconds, 0), l.keys.clock()
	if err != nil || at.Before(l.read) || want == "" && at.Equal(l.read) || now.Sub(at) >= l.interval || at.Sub(now) > apiv3.Window {
		return false
	}
	key, err := introduction{l}.in(copied.Body, signature.Serial)
	if err == nil {
		err = signature.Verify(l.reader.scheme, key, copied.Body)
	}
	if err == nil {
		err = l.adopt(copied.Body, signature)
	}
	if err != nil {
		l.warn("wxpay stored certificate list not used", err)
		return false
	}
	if want == "" {
		return true
	}
	_, err = l.keys.set.Load().Find(want, now)
	return !errors.Is(err, apiv3.ErrUnknownSerial)
}

// save keeps a copy for others. Failing is no harm to this client.
func (l *certificateList) save(name string, res *Response) {
	ctx, cancel := context.WithTimeout(l.ctx, storeTimeout)
	defer cancel()
	copied := storedList{Header: http.Header{}, Body: res.Raw()}
	for _, name := range [...]string{apiv3.HeaderSerial, apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSignature, apiv3.HeaderSignatureType} {
		if values := res.Header[name]; len(values) > 0 {
			copied.Header[name] = values
		}
	}
	data, err := json.Marshal(copied)
	if err == nil {
		err = l.store.Save(ctx, name, data)
	}
	if err != nil {
		l.warn("wxpay certificate list not stored", err)
	}
}

// warn logs a failure of the store, whose errors are not secret: it holds nothing that is.
func (l *certificateList) warn(message string, err error) {
	if logger := l.reader.logger; logger != nil {
		logger.LogAttrs(l.ctx, slog.LevelWarn, message, slog.String("mchid", l.reader.merchant.ID), slog.String("error", err.Error()))
	}
}

// listRecord is what a log says of one reading of the list.
type listRecord struct {
	level   slog.Level
	message string // empty for nothing
	attrs   []slog.Attr
}

// record tells how a reading ended; l.mu is held.
func (l *certificateList) record(what reading) listRecord {
	r := listRecord{level: slog.LevelInfo, message: "wxpay platform certificates refreshed", attrs: []slog.Attr{slog.String("mchid", l.reader.merchant.ID)}}
	if what.want != "" {
		r.attrs = append(r.attrs, slog.String("unknown_serial", what.want))
	}
	if l.failure != nil {
		if errors.Is(l.failure, ErrClosed) {
			return listRecord{}
		}
		r.level, r.message = slog.LevelWarn, "wxpay platform certificates not refreshed"
		if _, public := l.fixed.PublicKey(); public && errors.Is(l.failure, ErrNoCertificates) {
			r.level = slog.LevelInfo // as expected
		}
		r.attrs = append(r.attrs, slog.String("failure", l.failure.kind()), slog.Int("failures", l.failures), slog.Time("next", l.retry))
		return r
	}
	serials := make([]string, len(l.fetched))
	for i := range l.fetched {
		serials[i] = l.fetched[i].Serial
	}
	r.attrs = append(r.attrs, slog.Any("serials", serials))
	if len(l.broken) > 0 {
		r.level = slog.LevelWarn
		r.attrs = append(r.attrs, slog.Any("broken", errorTexts(l.broken)))
	}
	return r
}

// log writes the record, if there is one and somebody wants it.
func (r listRecord) log(logger *slog.Logger) {
	if logger != nil && r.message != "" {
		logger.LogAttrs(context.Background(), r.level, r.message, r.attrs...)
	}
}

func errorTexts(errs []error) []string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return texts
}

// shut ends a reading that is under way and every later one.
func (l *certificateList) shut() {
	l.close(ErrClosed)
	l.mu.Lock()
	running := l.running
	l.mu.Unlock()
	if running != nil {
		<-running.done
	}
}

// keep reads the list whenever it is due, until ctx ends or the list is shut.
func (l *certificateList) keep(ctx context.Context) error {
	for ctx.Err() == nil {
		timer := time.NewTimer(time.Unix(0, l.due.Load()).Sub(l.keys.clock()))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fault.Cause(ctx)
		case <-l.ctx.Done():
			timer.Stop()
			return ErrClosed
		}
		if l.keys.clock().UnixNano() < l.due.Load() {
			continue // a call had it read meanwhile
		}
		_, _ = l.refresh(ctx, reading{}) // a failure is in the log and in the status, and sets when it is due again
	}
	return fault.Cause(ctx)
}

// renew makes f ready to be sent once more after the platform refused it for the certificate that it names: the list is
// read again, another key is chosen, and what is encrypted is encrypted again. It reports whether that came out. Such a
// refusal is verified and comes before everything else, so nothing took effect; and f has made no other attempt that might
// have.
func (f *flight) renew(ctx context.Context, err error) bool {
	l := f.client.keys.list
	var refusal *APIError
	if l == nil || f.Attempts > 1 || !errors.As(err, &refusal) || !refusal.refusesSerial() || f.Stale() || f.names() {
		return false
	}
	refused, now := f.key[0], l.keys.clock()
	if current, ok := l.keys.set.Load().Certificate(now); !ok || current.Serial == refused {
		if _, err := l.refresh(ctx, reading{direct: true}); err != nil {
			return false
		}
	}
	if key, ok := l.keys.choose(); !ok || key.Serial == refused {
		return false
	}
	return f.reseal == nil || f.reseal(ctx) == nil
}

// refusesSerial reports a refusal for the key that the request names. It has no code of its own; its text names the header
// in every language.
func (e *APIError) refusesSerial() bool {
	return e.Verified && e.Status == http.StatusBadRequest && e.Code == wxcode.ParamError && strings.Contains(e.Message, apiv3.HeaderSerial)
}

// names reports whether the caller named the platform key.
func (f *flight) names() bool {
	for s := f.header; s != nil; s = s.before {
		if s.kind == settingHeader && s.name == apiv3.HeaderSerial {
			return true
		}
	}
	return false
}
