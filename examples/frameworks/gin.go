package frameworks

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Gin mounts the shop in gin. The notification goes to the handler as it came.
func Gin(s *Shop) *gin.Engine {
	r := gin.New()
	r.POST("/orders", func(c *gin.Context) {
		var request Request
		if err := c.ShouldBindJSON(&request); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		reply, err := s.Order(c.Request.Context(), request)
		if err != nil {
			c.Status(http.StatusBadGateway)
			return
		}
		c.JSON(http.StatusOK, reply)
	})
	r.POST("/refunds", func(c *gin.Context) {
		var request Request
		if err := c.ShouldBindJSON(&request); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		if err := s.Refund(c.Request.Context(), request); err != nil {
			c.Status(http.StatusBadGateway)
			return
		}
		c.Status(http.StatusNoContent)
	})
	r.POST("/wxpay/notify", gin.WrapH(s.Notified))
	return r
}
