package frameworks

import (
	"net/http"

	"github.com/zeromicro/go-zero/rest"
	"github.com/zeromicro/go-zero/rest/httpx"
)

// GoZero mounts the shop in go-zero. Set Timeout of the configuration to 5000 or more: its default,
// 3 s, answers before the handler does.
func GoZero(s *Shop, config rest.RestConf) (*rest.Server, error) {
	server, err := rest.NewServer(config)
	if err != nil {
		return nil, err
	}
	server.AddRoutes([]rest.Route{
		{Method: http.MethodPost, Path: "/orders", Handler: func(w http.ResponseWriter, r *http.Request) {
			var request Request
			if err := httpx.ParseJsonBody(r, &request); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			reply, err := s.Order(r.Context(), request)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			httpx.OkJson(w, reply)
		}},
		{Method: http.MethodPost, Path: "/refunds", Handler: func(w http.ResponseWriter, r *http.Request) {
			var request Request
			if err := httpx.ParseJsonBody(r, &request); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			if err := s.Refund(r.Context(), request); err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}},
		{Method: http.MethodPost, Path: "/wxpay/notify", Handler: s.Notified.ServeHTTP},
	})
	return server, nil
}
