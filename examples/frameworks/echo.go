package frameworks

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Echo mounts the shop in echo. The notification goes to the handler as it came.
func Echo(s *Shop) *echo.Echo {
	e := echo.New()
	e.POST("/orders", func(c echo.Context) error {
		var request Request
		if err := c.Bind(&request); err != nil {
			return err
		}
		reply, err := s.Order(c.Request().Context(), request)
		if err != nil {
			return c.NoContent(http.StatusBadGateway)
		}
		return c.JSON(http.StatusOK, reply)
	})
	e.POST("/refunds", func(c echo.Context) error {
		var request Request
		if err := c.Bind(&request); err != nil {
			return err
		}
		if err := s.Refund(c.Request().Context(), request); err != nil {
			return c.NoContent(http.StatusBadGateway)
		}
		return c.NoContent(http.StatusNoContent)
	})
	e.POST("/wxpay/notify", echo.WrapHandler(s.Notified))
	return e
}
