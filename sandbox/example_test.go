package sandbox_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// signed builds a request by hand, to show what a client does; the root package does it for you.
func signed(s *sandbox.Sandbox, method, url, body string) *http.Request {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	m := s.Merchant()
	caller := apiv3.Authorization{ID: m.ID, Serial: m.Serial, Nonce: "593BEC0C930BF1AFEB40B4A08C8FB242", Timestamp: strconv.FormatInt(time.Now().Unix(), 10)}
	authorization, _, err := apiv3.SignRequest(apiv3.RSA(), m.PrivateKey, caller, method, request.URL.RequestURI(), []byte(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "example")
	request.Header.Set("Wechatpay-Serial", s.Keys.PublicKeyID())
	return request
}

func Example() {
	s, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: s.Transport()}
	answer, err := client.Do(signed(s, "POST", "https://api.mch.weixin.qq.com/v3/brand/partner/card-member/user-feeds",
		`{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","user_card_code":"478515832665",`+
			`"openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","out_request_no":"100002322019090134234sfdf","cell_message":"15_1200_1"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)

	signature, err := apiv3.ReadSignature(answer.Header)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Status, signature.Serial == s.Keys.PublicKeyID(), signature.Verify(apiv3.RSA(), s.Keys.PublicKey(), body))
	fmt.Printf("%s\n", body)
	// Output:
	// 200 OK true <nil>
	// {"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","cell_message":"15_1200_1","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","out_request_no":"100002322019090134234sfdf","user_card_code":"478515832665"}
}

// A rejection says in the journal what the platform would not say.
func ExampleSandbox_Journal() {
	s, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	request := signed(s, "GET", "https://api.mch.weixin.qq.com/v3/certificates", "")
	request.URL.RawQuery = "algorithm_type=RSA" // added after it was signed
	answer, err := s.Transport().RoundTrip(request)
	if err != nil {
		log.Fatal(err)
	}
	answer.Body.Close()
	entry := s.Journal.All()[0]
	fmt.Println(entry)
	lines := strings.Split(entry.Explanation, "\n")
	fmt.Println(lines[len(lines)-1])
	// Output:
	// GET /v3/certificates?algorithm_type=RSA 401: the signature does not verify: the query was left out of the signed target
	// first difference: line 2, byte 17: the platform has "?", the client signed "\n"
}

// Listen serves any client on loopback, and the environment tells it what it needs.
func ExampleSandbox_Listen() {
	s, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	server, err := s.Listen("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	for _, line := range server.Env() {
		name, _, _ := strings.Cut(line, "=")
		fmt.Println(name)
	}
	answer, err := http.DefaultClient.Do(signed(s, "GET", server.URL+"/v3/certificates", ""))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	// Output:
	// WXPAY_MCHID
	// WXPAY_SERIAL
	// WXPAY_PRIVATE_KEY
	// WXPAY_APIV3_KEY
	// WXPAY_PUBLIC_KEY_ID
	// WXPAY_PUBLIC_KEY
	// WXPAY_BASE_URL
	// 200 OK
}
