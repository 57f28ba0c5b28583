package fleet

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"path/filepath"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
)

// attachName is the file in the directory of an embedded engine that tells how to attach to it.
const attachName = "attach"

// attachment is the content of that file.
type attachment struct {
	Address string      `json:"address"`
	Token   string      `json:"token"`
	shut    atomic.Bool // nobody is let in any more
}

// Check lets those in who know the token.
func (a *attachment) Check(c server.ClientAuthentication) bool {
	return !a.shut.Load() && subtle.ConstantTimeCompare([]byte(c.GetOpts().Token), []byte(a.Token)) == 1
}

// listen has the server listen for processes that attach to it.
func (a *attachment) listen(o *server.Options) {
	a.Token = rand.Text() + rand.Text()
	o.DontListen, o.Host, o.Port, o.CustomClientAuthentication = false, "127.0.0.1", server.RANDOM_PORT, a
}

// publish writes the file.
func (a *attachment) publish(dir string, s *server.Server) error {
	a.Address = s.Addr().String()
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return atomicfile.Replace(filepath.Join(dir, attachName), text)
}
