package mall

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

// Config is read from the environment of the process.
type Config struct {
	AppID     string
	MiniAppID string
	MchID     string
	APIv3Key  string
	NotifyURL string
	Expiry    time.Duration
	Addr      string
}

// LoadConfig reads the configuration.
func LoadConfig() (*Config, error) {
	c := &Config{
		AppID:     os.Getenv("MALL_APPID"),
		MiniAppID: os.Getenv("MALL_MINI_APPID"),
		MchID:     os.Getenv("WXPAY_MCHID"),
		APIv3Key:  os.Getenv("WXPAY_APIV3_KEY"),
		NotifyURL: strings.TrimSuffix(os.Getenv("MALL_PUBLIC_URL"), "/") + "/wxpay/notify",
		Expiry:    30 * time.Minute,
		Addr:      ":8080",
	}
	if addr := os.Getenv("MALL_ADDR"); addr != "" {
		c.Addr = addr
	}
	if text := os.Getenv("MALL_EXPIRY"); text != "" {
		expiry, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("MALL_EXPIRY: %w", err)
		}
		c.Expiry = expiry
	}
	for name, value := range map[string]string{"MALL_APPID": c.AppID, "WXPAY_MCHID": c.MchID, "WXPAY_APIV3_KEY": c.APIv3Key} {
		if value == "" {
			return nil, fmt.Errorf("%s is missing", name)
		}
	}
	return c, nil
}

// NewClient returns the client of the shop.
func NewClient(c *Config, logger *slog.Logger) (*wxpay.Client, error) {
	return wxpay.FromEnv(
		wxpay.WithLogger(logger),
		wxpay.WithDefaults(c.MchID, c.AppID),
		wxpay.WithTimeout(15*time.Second),
		wxpay.WithUserAgent("mall/1.4"),
	)
}

// Run serves the shop until the listener fails.
func Run(store Store) error {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	c, err := LoadConfig()
	if err != nil {
		return err
	}
	client, err := NewClient(c, logger)
	if err != nil {
		return err
	}
	defer client.Close()
	shop := &Shop{Config: c, Client: client, Store: store, Log: logger}
	notify, err := webhook.New(webhook.Merchant{ID: c.MchID, APIv3Key: c.APIv3Key, Keys: client}, webhook.WithLogger(logger))
	if err != nil {
		return err
	}
	shop.Register(notify)
	mux := http.NewServeMux()
	mux.Handle("POST /wxpay/notify", notify)
	mux.HandleFunc("POST /orders/{number}/pay", shop.HandlePay)
	mux.HandleFunc("GET /orders/{number}", shop.HandleOrder)
	mux.HandleFunc("POST /orders/{number}/refunds", shop.HandleRefund)
	mux.HandleFunc("POST /orders/{number}/close", shop.HandleClose)
	server := &http.Server{Addr: c.Addr, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}
