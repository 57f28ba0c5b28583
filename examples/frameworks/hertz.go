package frameworks

import (
	"context"
	"net/http"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/adaptor"
	"github.com/cloudwego/hertz/pkg/common/config"
)

// Hertz mounts the shop in hertz, whose adaptor passes header and body on as they came.
func Hertz(s *Shop, options ...config.Option) *server.Hertz {
	h := server.New(options...)
	h.POST("/orders", func(ctx context.Context, c *app.RequestContext) {
		var request Request
		if err := c.BindJSON(&request); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		reply, err := s.Order(ctx, request)
		if err != nil {
			c.Status(http.StatusBadGateway)
			return
		}
		c.JSON(http.StatusOK, reply)
	})
	h.POST("/refunds", func(ctx context.Context, c *app.RequestContext) {
		var request Request
		if err := c.BindJSON(&request); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		if err := s.Refund(ctx, request); err != nil {
			c.Status(http.StatusBadGateway)
			return
		}
		c.Status(http.StatusNoContent)
	})
	h.POST("/wxpay/notify", adaptor.HertzHandler(s.Notified))
	return h
}
