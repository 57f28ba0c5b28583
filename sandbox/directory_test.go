//go:build go1.25

package sandbox_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// openDirectory opens a directory and closes it with the test, unless it was closed before.
func openDirectory(t testing.TB, path string) *sandbox.Directory {
	t.Helper()
	d, err := sandbox.OpenDirectory(path)
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// batches loads everything that a directory has.
func batches(d *sandbox.Directory) (list []string, err error) {
	err = d.Load(func(batch []byte) error {
		list = append(list, string(batch))
		return nil
	})
	return list, err
}

const journalFile = "sandbox.journal"

func TestDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	d := openDirectory(t, path)
	list, err := batches(d)
	require.NoError(t, err)
	assert.Empty(t, list)
	for _, batch := range []string{"one", "", "three"} {
		require.NoError(t, d.Append([]byte(batch)))
	}
	_, err = sandbox.OpenDirectory(path)
	assert.ErrorContains(t, err, "another sandbox has it open")
	require.NoError(t, d.Close())

	d = openDirectory(t, path)
	list, err = batches(d)
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "", "three"}, list)
	require.NoError(t, d.Replace(slices.Values([][]byte{[]byte("all")})))
	require.NoError(t, d.Append([]byte("more")))
	require.NoError(t, d.Close())

	d = openDirectory(t, path)
	list, err = batches(d)
	require.NoError(t, err)
	assert.Equal(t, []string{"all", "more"}, list)
	assert.Zero(t, d.Cut())
	info, err := os.Stat(filepath.Join(path, journalFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, d.Close())

	require.NoError(t, os.WriteFile(filepath.Join(path, journalFile), []byte("something else altogether"), 0o600))
	d = openDirectory(t, path)
	_, err = batches(d)
	assert.ErrorContains(t, err, "is no journal of a sandbox of this version")
}

// journalOf is a file with three batches, and where each frame ends.
func journalOf(t testing.TB) (content []byte, ends []int) {
	path := t.TempDir()
	d := openDirectory(t, path)
	_, err := batches(d)
	require.NoError(t, err)
	for _, batch := range []string{"first batch", "second", "third one"} {
		require.NoError(t, d.Append([]byte(batch)))
		info, err := os.Stat(filepath.Join(path, journalFile))
		require.NoError(t, err)
		ends = append(ends, int(info.Size()))
	}
	require.NoError(t, d.Close())
	content, err = os.ReadFile(filepath.Join(path, journalFile))
	require.NoError(t, err)
	return content, ends
}

// TestDirectoryCutAtAnyByte: whatever was written whole is there, the rest is cut off, and more can be appended.
func TestDirectoryCutAtAnyByte(t *testing.T) {
	content, ends := journalOf(t)
	whole := []string{"first batch", "second", "third one"}
	for n := range len(content) + 1 {
		for _, tail := range []int{0, 40} { // of zeros, as file systems leave them
			path := t.TempDir()
			torn := append(slices.Clone(content[:n]), make([]byte, tail)...)
			if tail > 0 && !slices.Contains(ends, n) {
				continue // within a frame, zeros are damage
			}
			require.NoError(t, os.WriteFile(filepath.Join(path, journalFile), torn, 0o600))
			d := openDirectory(t, path)
			list, err := batches(d)
			require.NoError(t, err, "cut at %d", n)
			want := len(slices.DeleteFunc(slices.Clone(ends), func(end int) bool { return end > n }))
			assert.Equal(t, whole[:want], append([]string{}, list...), "cut at %d", n)
			require.NoError(t, d.Append([]byte("later")))
			require.NoError(t, d.Close())
			d = openDirectory(t, path)
			list, err = batches(d)
			require.NoError(t, err)
			assert.Equal(t, append(slices.Clone(whole[:want]), "later"), list)
			assert.Zero(t, d.Cut())
			require.NoError(t, d.Close())
		}
	}
}

// TestDirectoryDamagedAtAnyByte: a byte that was changed is never taken for what was written.
func TestDirectoryDamagedAtAnyByte(t *testing.T) {
	content, ends := journalOf(t)
	last := ends[len(ends)-2]
	for at := range content {
		path := t.TempDir()
		damaged := slices.Clone(content)
		damaged[at] ^= 0x20
		require.NoError(t, os.WriteFile(filepath.Join(path, journalFile), damaged, 0o600))
		d := openDirectory(t, path)
		list, err := batches(d)
		if at >= last+12 { // the last batch itself, which may have been on its way to the disk when the machine stopped
			require.NoError(t, err)
			assert.Equal(t, []string{"first batch", "second"}, list)
			assert.Equal(t, int64(len(content)-last), d.Cut())
		} else {
			require.Error(t, err, "byte %d", at)
			after, err := os.ReadFile(filepath.Join(path, journalFile))
			require.NoError(t, err)
			assert.Equal(t, damaged, after, "nothing is changed")
		}
		require.NoError(t, d.Close())
	}
}

// kept makes a sandbox in a directory, which both end with the returned function.
func kept(t testing.TB, path string, options ...sandbox.Option) (*sandbox.Sandbox, func()) {
	t.Helper()
	d := openDirectory(t, path)
	s := newSandbox(t, append(options, sandbox.WithStore(d))...)
	return s, func() {
		require.NoError(t, s.Close())
		require.NoError(t, d.Close())
	}
}

// TestRestart: a sandbox goes on where the one before it in the directory ended.
func TestRestart(t *testing.T) {
	path := t.TempDir()
	s, end := kept(t, path)
	r := &receiver{t: t, s: s, answers: []int{500}}
	s.Deliveries.To(r)
	second, err := s.AddMerchant("1900000110")
	require.NoError(t, err)
	require.NoError(t, second.Keys.SetMode(sandbox.PublicKeyOnly))
	require.NoError(t, s.AddSubMerchant("1900000220"))
	added, err := s.Keys.AddCertificate(time.Hour)
	require.NoError(t, err)
	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native",
		with(with(native(s), "notify_url", notifyURL), "amount", map[string]any{"total": 100})).StatusCode)
	transaction, err := s.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	id := s.Deliveries.All()[0].ID
	_, err = s.Deliveries.Await(t.Context(), id, 1)
	require.NoError(t, err)
	s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{After: 2 * time.Hour} })
	require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R1", 1)).StatusCode)
	_, err = second.Users.AddPaidOrder("SECOND-1", 5)
	require.NoError(t, err)
	require.NoError(t, s.Clock.Jump(time.Second))
	require.NoError(t, s.Clock.Freeze())
	before, ledger, ledger2, now := s.Merchant(), s.Ledger.Effects(), second.Ledger.Effects(), s.Clock.Now()
	end()

	s, end = kept(t, path)
	defer end()
	assert.Equal(t, before.Serial, s.Merchant().Serial)
	assert.Equal(t, before.APIv3Key, s.Merchant().APIv3Key)
	assert.True(t, before.PrivateKey.Equal(s.Merchant().PrivateKey))
	assert.Equal(t, []string{"1900000220"}, s.SubMerchants())
	require.Len(t, s.Merchants(), 2)
	require.Len(t, s.Keys.Certificates(), 3)
	assert.True(t, added.Equal(s.Keys.Certificates()[2]))
	require.True(t, s.Clock.Frozen())
	assert.True(t, now.Equal(s.Clock.Now()))
	sameLedger(t, ledger, s.Ledger.Effects())
	second = s.Merchants()[1]
	sameLedger(t, ledger2, second.Ledger.Effects())
	a := newCall(second, time.Now(), "GET", "/v3/certificates", nil).sign(second).send(t, s.Transport(), inProcess)
	assert.Equal(t, 404, a.StatusCode, "the mode is kept")

	r = &receiver{t: t, s: s}
	s.Deliveries.To(r)
	require.NoError(t, s.Clock.Jump(14*time.Second))
	require.Len(t, r.notices(), 1, "the repeat has come")
	assert.Equal(t, id, r.notices()[0].ID)
	assert.NoError(t, r.verdicts()[0])
	assert.NoError(t, r.notices()[0].failed, "the APIv3 key is the same")
	assert.Equal(t, "PROCESSING", refundStates(s)["R1"])
	require.NoError(t, s.Clock.Jump(2*time.Hour))
	assert.Equal(t, "SUCCESS", refundStates(s)["R1"])

	again, err := second.Users.AddPaidOrder("SECOND-2", 5)
	require.NoError(t, err)
	assert.NotEqual(t, transaction, again)
	a = ask(t, s, "POST", refundPath, refund("R1", 1))
	require.Equal(t, 200, a.StatusCode, "a repetition is known: %s", a.body)
	assert.Len(t, s.Ledger.Effects(sandbox.RefundEffect), 1)
}

// sameLedger compares ledgers, whose times have lost what JSON does not keep.
func sameLedger(t testing.TB, want, have []sandbox.Effect) {
	t.Helper()
	require.Len(t, have, len(want))
	for i := range want {
		assert.True(t, want[i].Time.Equal(have[i].Time))
		have[i].Time = want[i].Time
	}
	assert.Equal(t, want, have)
}

// memoryStore keeps batches, and fails on demand.
type memoryStore struct {
	list     [][]byte
	failing  error
	replaced int
}

func (m *memoryStore) Load(each func([]byte) error) error {
	for _, batch := range m.list {
		if err := each(batch); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryStore) Append(batch []byte) error {
	if m.failing != nil {
		return m.failing
	}
	m.list = append(m.list, slices.Clone(batch))
	return nil
}

func (m *memoryStore) Replace(all iter.Seq[[]byte]) error {
	if m.failing != nil {
		return m.failing
	}
	m.replaced++
	m.list = nil
	for batch := range all {
		m.list = append(m.list, slices.Clone(batch))
	}
	return nil
}

// TestStoreFails: what cannot be kept does not happen, and nobody is told that it did.
func TestStoreFails(t *testing.T) {
	store := new(memoryStore)
	s := newSandbox(t, sandbox.WithStore(store))
	defer s.Close()
	r := &receiver{t: t, s: s}
	s.Deliveries.To(r)
	order := with(native(s), "notify_url", notifyURL)
	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", order).StatusCode)
	store.failing = errors.New("the disk is full")
	_, err := s.Users.Pay("ORDER-0001")
	assert.EqualError(t, err, "sandbox: the store failed, so nothing can change any more: the disk is full")
	a := ask(t, s, "POST", "/v3/pay/transactions/native", with(order, "out_trade_no", "ORDER-0002"))
	assert.Equal(t, 500, a.StatusCode)
	assert.Contains(t, s.Journal.All()[1].Reason, "the disk is full")
	assert.Error(t, s.Ledger.Settle(sandbox.RefundEffect, "R1", "SUCCESS"))
	for range 2 {
		_, err = s.AddMerchant("1900000110")
		assert.ErrorContains(t, err, "the disk is full")
	}
	assert.Len(t, s.Merchants(), 1)
	assert.Error(t, s.Reset())
	assert.Error(t, s.Clock.Freeze())
	require.Len(t, s.Ledger.Effects(), 1)
	assert.Equal(t, "NOTPAY", s.Ledger.Effects()[0].State)
	assert.Empty(t, s.Deliveries.All())
	assert.Empty(t, r.notices())

	full := new(memoryStore)
	s = newSandbox(t, sandbox.WithStore(full))
	defer s.Close()
	full.failing = errors.New("the disk is full")
	for range 2 {
		_, err = s.AddMerchant("1900000110")
		assert.ErrorContains(t, err, "the disk is full", "whether or not it is the first change that fails")
	}
	assert.Len(t, s.Merchants(), 1)

	store.failing = nil
	later := newSandbox(t, sandbox.WithStore(store))
	defer later.Close()
	require.Len(t, later.Ledger.Effects(), 1)
	assert.Equal(t, "NOTPAY", later.Ledger.Effects()[0].State)

	for name, batch := range map[string]string{"no JSON": "{", "no batch": `{"a":1}`, "no table": `[["","nothing","",1]]`,
		"no record": `[["","serials","","x"]]`} {
		_, err := sandbox.New(sandbox.WithStore(&memoryStore{list: [][]byte{[]byte(batch)}}))
		assert.ErrorContains(t, err, "sandbox: the store: ", name)
	}
	_, err = sandbox.New(sandbox.WithStore(nil))
	assert.Error(t, err)
}

// TestStoreIsCompacted: it does not grow with what was overwritten.
func TestStoreIsCompacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(memoryStore)
		s := newSandbox(t, sandbox.WithStore(store))
		s.Deliveries.To(&receiver{t: t, s: s})
		defer s.Close()
		for i := range 8000 {
			_, err := s.Users.AddPaidOrder(fmt.Sprintf("ORDER-%d", i), 1)
			require.NoError(t, err)
		}
		assert.NotZero(t, store.replaced)
		ledger := s.Ledger.Effects()
		later := newSandbox(t, sandbox.WithStore(store))
		defer later.Close()
		sameLedger(t, ledger, later.Ledger.Effects())
	})
}

// TestDirectoryOfOthers: what other users can write, or put in place of a file, is refused, and stays as it was.
func TestDirectoryOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions do not tell there who can write")
	}
	for name, test := range map[string]struct {
		spoil func(folder string) error
		says  string
	}{
		"folder": {func(folder string) error { return os.Chmod(folder, 0o777) }, "others can write"},
		"group":  {func(folder string) error { return os.Chmod(folder, 0o770) }, "others can write"},
		"journal": {func(folder string) error {
			return errors.Join(os.WriteFile(filepath.Join(folder, journalFile), nil, 0o600), os.Chmod(filepath.Join(folder, journalFile), 0o666))
		}, "others can write"},
		"lock by a link":    {func(folder string) error { return os.Symlink("elsewhere", filepath.Join(folder, "lock")) }, "is a link"},
		"journal by a link": {func(folder string) error { return os.Symlink("elsewhere", filepath.Join(folder, journalFile)) }, "is a link"},
	} {
		folder := filepath.Join(t.TempDir(), "data")
		require.NoError(t, os.Mkdir(folder, 0o700))
		require.NoError(t, test.spoil(folder), name)
		_, err := sandbox.OpenDirectory(folder)
		assert.ErrorContains(t, err, test.says, name)
		assert.NoFileExists(t, filepath.Join(folder, "elsewhere"), name)
	}
}
