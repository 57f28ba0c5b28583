package frameworks

import (
	"net/http"
	"time"

	khttp "github.com/go-kratos/kratos/v2/transport/http"
)

// Kratos mounts the shop in kratos. The timeout of the server is 5 s: its default, 1 s, ends the
// wait for a function.
func Kratos(s *Shop, options ...khttp.ServerOption) *khttp.Server {
	server := khttp.NewServer(append([]khttp.ServerOption{khttp.Timeout(5 * time.Second)}, options...)...)
	r := server.Route("/")
	r.POST("/orders", func(c khttp.Context) error {
		var request Request
		if err := c.Bind(&request); err != nil {
			return err
		}
		reply, err := s.Order(c, request)
		if err != nil {
			return c.String(http.StatusBadGateway, "")
		}
		return c.JSON(http.StatusOK, reply)
	})
	r.POST("/refunds", func(c khttp.Context) error {
		var request Request
		if err := c.Bind(&request); err != nil {
			return err
		}
		if err := s.Refund(c, request); err != nil {
			return c.String(http.StatusBadGateway, "")
		}
		return c.String(http.StatusNoContent, "")
	})
	server.Handle("/wxpay/notify", s.Notified)
	return server
}
