package frameworks

import (
	"net/http"

	"github.com/gofiber/fiber/v3"

	"github.com/wxpay-go/wxpay/webhook"
)

// Fiber mounts the shop in fiber, which does not use net/http: Deliver takes header and body. The
// body is that of BodyRaw, since Body expands compressed ones.
func Fiber(s *Shop) *fiber.App {
	app := fiber.New()
	app.Post("/orders", func(c fiber.Ctx) error {
		var request Request
		if err := c.Bind().JSON(&request); err != nil {
			return err
		}
		reply, err := s.Order(c.Context(), request)
		if err != nil {
			return c.SendStatus(http.StatusBadGateway)
		}
		return c.JSON(reply)
	})
	app.Post("/refunds", func(c fiber.Ctx) error {
		var request Request
		if err := c.Bind().JSON(&request); err != nil {
			return err
		}
		if err := s.Refund(c.Context(), request); err != nil {
			return c.SendStatus(http.StatusBadGateway)
		}
		return c.SendStatus(http.StatusNoContent)
	})
	app.Post("/wxpay/notify", func(c fiber.Ctx) error {
		response := s.Notified.Deliver(c.Context(), &webhook.Delivery{Header: c.GetReqHeaders(), Body: c.BodyRaw()})
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		if response.Authorization != "" {
			c.Set(fiber.HeaderAuthorization, response.Authorization)
		}
		return c.Status(response.Status).Send(response.Body)
	})
	return app
}
