// For tests of a shop's own front end: a page that loads this script pays on the phone of the sandbox's console instead of
// in WeChat. It has WeixinJSBridge.invoke, wx.requestPayment, wx.chooseWXPay and wx.requestMerchantTransfer.
"use strict";
(() => {
  const base = new URL(document.currentScript.src).origin;
  const phone = (path, fields, done) => {
    const shown = window.open(base + path + "?" + new URLSearchParams(fields), "wxpay-sandbox-phone", "width=460,height=820");
    if (!shown) return done("fail");
    let timer = 0;
    const end = (outcome) => {
      clearInterval(timer);
      removeEventListener("message", hear);
      done(outcome);
    };
    const hear = (event) => {
      if (event.origin === base && event.data && event.data.wxpaySandbox) end(event.data.wxpaySandbox);
    };
    addEventListener("message", hear);
    timer = setInterval(() => shown.closed && end("cancel"), 300);
  };
  const payment = (given, done) => phone("/phone/pay", {
    link: given.package || "", shop: "1", appId: given.appId || "", timeStamp: given.timeStamp || given.timestamp || "",
    nonceStr: given.nonceStr || "", signType: given.signType || "", paySign: given.paySign || "",
  }, done);
  const transfer = (given, done) => phone("/phone/transfer", { package: given.package || "", mchid: given.mchId || "", shop: "1" }, done);
  const calls = { getBrandWCPayRequest: ["get_brand_wcpay_request", payment], requestMerchantTransfer: ["requestMerchantTransfer", transfer] };
  window.WeixinJSBridge = {
    on() {},
    invoke(name, given, callback) {
      const [answer, act] = calls[name] || [name, (_, done) => done("fail")];
      act(given || {}, (outcome) => callback?.({ err_msg: answer + ":" + outcome }));
    },
  };
  const api = (name, act) => (given = {}) => act(given, (outcome) => {
    const result = { errMsg: name + ":" + (outcome === "cancel" ? "fail cancel" : outcome) };
    given[outcome === "ok" ? "success" : outcome === "cancel" && given.cancel ? "cancel" : "fail"]?.(result);
    given.complete?.(result);
  });
  window.wx = Object.assign(window.wx || {}, {
    requestPayment: api("requestPayment", payment),
    chooseWXPay: api("chooseWXPay", payment),
    requestMerchantTransfer: api("requestMerchantTransfer", transfer),
  });
  document.dispatchEvent(new Event("WeixinJSBridgeReady"));
})();
