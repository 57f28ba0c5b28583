package aorder

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay"
)

// Controller HTTP 接入层。
type Controller struct {
	service  Service
	notifier http.Handler
	homepage string
	log      *slog.Logger
}

func NewController(service Service, notifier http.Handler, homepage string, log *slog.Logger) *Controller {
	return &Controller{service: service, notifier: notifier, homepage: homepage, log: log}
}

// Routes 注册路由。
func (c *Controller) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/orders", c.create)
	mux.HandleFunc("GET /api/orders/{no}", c.get)
	mux.HandleFunc("POST /api/orders/{no}/pay", c.pay)
	mux.HandleFunc("POST /api/orders/{no}/sync", c.sync)
	mux.HandleFunc("POST /api/orders/{no}/cancel", c.cancel)
	mux.Handle("POST /wxpay/notify/pay", c.notifier)
	return mux
}

type reply struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
	Data any    `json:"data,omitempty"`
}

func (c *Controller) ok(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(reply{Msg: "ok", Data: data}); err != nil {
		c.log.Warn("写响应失败", "err", err)
	}
}

// 业务错误与对外错误码的映射表。
var errorTable = []struct {
	err    error
	status int
	code   int
}{
	{ErrNotFound, http.StatusNotFound, 10001},
	{ErrExpired, http.StatusConflict, 10002},
	{ErrWrongStatus, http.StatusConflict, 10003},
	{ErrBadChannel, http.StatusBadRequest, 10004},
	{ErrOpenIDMissing, http.StatusBadRequest, 10005},
	{ErrAmount, http.StatusBadRequest, 10006},
	{ErrAlreadyPaid, http.StatusConflict, 10007},
	{ErrConflict, http.StatusConflict, 10008},
}

func (c *Controller) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, body := http.StatusInternalServerError, reply{Code: 99999, Msg: "系统繁忙，请稍后再试"}
	for _, row := range errorTable {
		if errors.Is(err, row.err) {
			status, body = row.status, reply{Code: row.code, Msg: row.err.Error()}
			break
		}
	}
	var api *wxpay.APIError
	if errors.As(err, &api) {
		c.log.ErrorContext(r.Context(), "微信支付返回错误", "code", api.Code, "status", api.Status, "request_id", api.RequestID)
		status, body = http.StatusBadGateway, reply{Code: 20001, Msg: "支付渠道异常"}
	} else if status == http.StatusInternalServerError {
		c.log.ErrorContext(r.Context(), "请求失败", "path", r.URL.Path, "err", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (c *Controller) create(w http.ResponseWriter, r *http.Request) {
	var cmd CreateCommand
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&cmd); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	o, err := c.service.Create(r.Context(), cmd)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.ok(w, o)
}

func (c *Controller) get(w http.ResponseWriter, r *http.Request) {
	o, err := c.service.Get(r.Context(), r.PathValue("no"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.ok(w, o)
}

func (c *Controller) pay(w http.ResponseWriter, r *http.Request) {
	no := r.PathValue("no")
	params, err := c.service.Pay(r.Context(), no, PrepayOption{
		ClientIP:    clientIP(r),
		RedirectURL: c.homepage + "/orders/" + no,
		Platform:    platform(r.UserAgent()),
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.ok(w, params)
}

func (c *Controller) sync(w http.ResponseWriter, r *http.Request) {
	o, err := c.service.Sync(r.Context(), r.PathValue("no"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.ok(w, map[string]any{"status": o.Status, "text": o.Status.String()})
}

func (c *Controller) cancel(w http.ResponseWriter, r *http.Request) {
	if err := c.service.Cancel(r.Context(), r.PathValue("no")); err != nil {
		c.fail(w, r, err)
		return
	}
	c.ok(w, nil)
}

// clientIP 只信任网关写入的 X-Real-IP。
func clientIP(r *http.Request) string {
	if ip := r.Header.Get("X-Real-IP"); net.ParseIP(ip) != nil {
		return ip
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

func platform(ua string) string {
	switch {
	case strings.Contains(ua, "iPhone"), strings.Contains(ua, "iPad"):
		return "iOS"
	case strings.Contains(ua, "Android"):
		return "Android"
	}
	return "Wap"
}
