// Calls the sandbox with wechatpay-axios-plugin, unmodified: all that points it there is baseURL, or a proxy. node_test.go runs it with
// the sandbox's variables in the environment and operations to try in breadth on stdin. Whatever fails ends it with code 1.
'use strict';

const assert = require('node:assert/strict');
const { createHash, X509Certificate } = require('node:crypto');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const { Wechatpay, Rsa, Aes: { AesGcm }, Formatter, Multipart } = require('wechatpay-axios-plugin');

const {
  WXPAY_MCHID: mchid, WXPAY_SERIAL: serial, WXPAY_PRIVATE_KEY: privateKey, WXPAY_APIV3_KEY: apiv3Key,
  WXPAY_PUBLIC_KEY_ID: publicKeyID, WXPAY_PUBLIC_KEY: publicKey, WXPAY_BASE_URL: baseURL,
} = process.env;
const { operations, certificates, paid, bills } = JSON.parse(readFileSync(0, 'utf8'));

const appid = 'wxd678efh567hg6787';
const openid = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const named = { headers: { 'Wechatpay-Serial': publicKeyID } };
const wxpay = new Wechatpay({
  mchid, serial, privateKey, ...(baseURL && { baseURL }), certs: { [publicKeyID]: publicKey, ...certificates },
});

const seal = (text) => Rsa.encrypt(text, publicKey);
const order = (outTradeNo, more) => ({
  appid, mchid, description: 'T恤 & <裤子>', out_trade_no: outTradeNo, notify_url: 'https://shop.example.com/notify', amount: { total: 100, currency: 'CNY' }, ...more,
});

// refusal is the answer to a call that must be refused.
async function refusal(call) {
  try {
    await call;
  } catch (error) {
    if (error.response) return error.response;
    throw error;
  }
  assert.fail('the call was not refused');
}

async function orders() {
  const { transactions } = wxpay.v3.pay;
  assert.ok((await transactions.jsapi.post(order('NODE-JSAPI', { payer: { openid } }))).data.prepay_id);
  assert.match((await transactions.native.post(order('NODE-NATIVE'))).data.code_url, /^weixin:/);
  assert.ok((await transactions.app.post(order('NODE-APP'))).data.prepay_id);
  assert.ok((await transactions.h5.post(order('NODE-H5', { scene_info: { payer_client_ip: '14.23.150.211', h5_info: { type: 'Wap' } } }))).data.h5_url);

  const waiting = await transactions.outTradeNo._out_trade_no_.get({ params: { mchid }, out_trade_no: 'NODE-JSAPI' });
  assert.equal(waiting.data.trade_state, 'NOTPAY');
  assert.equal(waiting.data.out_trade_no, 'NODE-JSAPI');
  const settled = await transactions.id._transaction_id_.get({ params: { mchid }, transaction_id: paid.transaction });
  assert.equal(settled.data.trade_state, 'SUCCESS');
  assert.equal(settled.data.out_trade_no, paid.number);

  const closed = await transactions.outTradeNo._out_trade_no_.close.post({ mchid }, { out_trade_no: 'NODE-NATIVE' });
  assert.equal(closed.status, 204);
}

async function refunds() {
  const created = await wxpay.v3.refund.domestic.refunds.post({
    out_trade_no: paid.number, out_refund_no: 'NODE-REFUND', amount: { refund: 30, total: 100, currency: 'CNY' },
  });
  assert.equal(created.data.amount.refund, 30);
  const queried = await wxpay.v3.refund.domestic.refunds._out_refund_no_.get({ out_refund_no: 'NODE-REFUND' });
  assert.equal(queried.data.status, 'SUCCESS');
}

async function coupons() {
  const { favor } = wxpay.v3.marketing;
  const day = (n) => `${new Date(Date.now() + n * 86400000).toISOString().slice(0, 19)}+00:00`;
  const creator = { stock_creator_mchid: mchid };
  const { data: { stock_id } } = await favor.couponStocks.post({
    stock_name: '满减', belong_merchant: mchid, out_request_no: 'NODE-STOCK', no_cash: true, stock_type: 'NORMAL',
    available_begin_time: day(-1), available_end_time: day(1),
    stock_use_rule: { max_coupons: 1, max_amount: 30, max_coupons_per_user: 1, natural_person_limit: false, prevent_api_abuse: false },
    coupon_use_rule: { fixed_normal_coupon: { coupon_amount: 30, transaction_minimum: 100 } },
  });
  const stock = favor.stocks._stock_id_;
  for (const [act, status] of [['start', 'running'], ['pause', 'paused'], ['restart', 'running']]) {
    await stock[act].post(creator, { stock_id });
    assert.equal((await stock.get({ params: creator, stock_id })).data.status, status);
  }
  assert.equal((await favor.stocks.get({ params: { ...creator, offset: 0, limit: 10 } })).data.total_count, 1);
  const sending = { stock_id, out_request_no: 'NODE-COUPON', appid, ...creator };
  const { data: { coupon_id } } = await favor.users._openid_.coupons.post(sending, { openid });
  const got = await favor.users._openid_.coupons._coupon_id_.get({ params: { appid }, openid, coupon_id });
  assert.equal(got.data.status, 'SENDED');
  await favor.callbacks.post({ mchid, notify_url: 'https://shop.example.com/coupons', switch: true });
  assert.equal((await favor.callbacks.get({ params: { mchid } })).data.notify_url, 'https://shop.example.com/coupons');
}

async function downloadsCertificates() {
  const { data } = await wxpay.v3.certificates.get();
  assert.equal(data.data.length, Object.keys(certificates).length);
  for (const { serial_no: number, encrypt_certificate: { ciphertext, nonce, associated_data: associated } } of data.data) {
    const certificate = new X509Certificate(AesGcm.decrypt(ciphertext, apiv3Key, nonce, associated));
    assert.equal(certificate.serialNumber.padStart(40, '0'), number);
    assert.equal(certificate.toString().trim(), certificates[number].trim());
  }
}

async function encryptedMembers() {
  const text = '张三 & <李四>';
  const echo = await wxpay.v3.security.echo.post({ echo_message: 'plain', encrypted_echo_message: seal(text) }, named);
  assert.equal(echo.data.echo_message, 'plain');
  assert.equal(Rsa.decrypt(echo.data.encrypted_echo_message, privateKey), text);

  const bill = await wxpay.v3.fundApp.mchTransfer.transferBills.post({
    appid, out_bill_no: 'NODEBILL1', transfer_scene_id: '1000', openid, user_name: seal('张三'), transfer_amount: 200000, transfer_remark: '奖励',
    transfer_scene_report_infos: [{ info_type: '活动名称', info_content: '新会员有礼' }, { info_type: '奖励说明', info_content: '注册会员抽奖一等奖' }],
  }, named);
  assert.equal(bill.data.out_bill_no, 'NODEBILL1');
  const queried = await wxpay.v3.fundApp.mchTransfer.transferBills.outBillNo._out_bill_no_.get({ out_bill_no: 'NODEBILL1' });
  assert.equal(queried.data.transfer_amount, 200000);

  const receiver = await wxpay.v3.profitsharing.receivers.add.post({
    appid, type: 'MERCHANT_ID', account: '1900000110', name: seal('张三网络公司'), relation_type: 'PARTNER',
  }, named);
  assert.equal(receiver.data.account, '1900000110');
  await wxpay.v3.payrollCard.tokens.post({
    openid, appid, sub_mchid: '1900000110', user_name: seal('张三'), id_card_number: seal('110101199003070000'), employment_type: 'LONG_TERM_EMPLOYMENT',
  }, named);
}

async function uploads() {
  const picture = Buffer.from('\x89PNG\r\n\x1a\nnot much of a picture', 'latin1');
  for (const [chain, filename] of [[wxpay.v3.merchant.media.upload, '图片.png'], [wxpay.v3.merchant.media.video_upload, 'film.mp4']]) {
    const meta = { filename, sha256: createHash('sha256').update(picture).digest('hex') };
    const form = new Multipart.FormData();
    form.append('meta', JSON.stringify(meta));
    form.append('file', picture, filename);
    const { data } = await chain.post(form.getBuffer(), { meta, headers: form.getHeaders() });
    assert.ok(data.media_id);
  }
}

async function downloadsBills() {
  for (const chain of [wxpay.v3.bill.tradebill, wxpay.v3.bill.fundflowbill]) {
    const { data: { download_url: link, hash_type: kind, hash_value: hash } } = await chain.get({ params: { bill_date: bills } });
    assert.equal(kind, 'SHA1');
    const file = await wxpay.v3.billdownload.file.get({
      params: Object.fromEntries(new URL(link).searchParams), responseType: 'arraybuffer', transformResponse: [],
    });
    assert.equal(createHash('sha1').update(file.data).digest('hex'), hash);
    assert.ok(Formatter.castCsvBill(file.data).rows.length > 0);
  }
}

async function notifications() {
  const arrived = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      arrived.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(204).end();
    });
  });
  await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
  try {
    await wxpay.v3.security.echo.post({ echo_message: 'notify me', notify_url: `http://127.0.0.1:${server.address().port}/notify` }, named);
    for (let i = 0; i < 500 && arrived.length === 0; i += 1) await new Promise((later) => { setTimeout(later, 20); });
    assert.equal(arrived.length, 1, 'a notification');
    const [{ headers, body }] = arrived;
    const keys = { [publicKeyID]: publicKey, ...certificates };
    const message = Formatter.response(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], body);
    assert.ok(Rsa.verify(message, headers['wechatpay-signature'], keys[headers['wechatpay-serial']]));
    const { event_type: event, resource: { ciphertext, nonce, associated_data: associated } } = JSON.parse(body);
    assert.equal(event, 'SECURITY_ECHO.SUCCESS');
    assert.equal(JSON.parse(AesGcm.decrypt(ciphertext, apiv3Key, nonce, associated)).echo_message, 'notify me');
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function errors() {
  const unknown = await refusal(wxpay.v3.pay.transactions.outTradeNo._out_trade_no_.get({ params: { mchid }, out_trade_no: 'NODE-UNKNOWN' }));
  assert.equal(unknown.status, 404);
  assert.equal(unknown.data.code, 'ORDER_NOT_EXIST');
  const wrong = await refusal(wxpay.v3.pay.transactions.native.post(order('NODE-WRONG', { amount: { total: '100' } })));
  assert.equal(wrong.status, 400);
  assert.equal(wrong.data.code, 'PARAM_ERROR');
  assert.deepEqual(wrong.data.detail, { location: 'body', value: '100' });
  assert.match(wrong.data.message, /“\/body\/amount\/total”/);
}

// breadth calls operations with the values that the test made for them.
async function breadth() {
  for (const { method, path, query, vars, body } of operations) {
    const chain = wxpay.chain(path.slice(1));
    const config = { params: query, ...vars };
    try {
      if (method === 'GET' || method === 'DELETE') await chain[method.toLowerCase()](config);
      else await chain[method.toLowerCase()](body, config);
    } catch (error) {
      throw new Error(`${method} ${path}: ${error.message} ${JSON.stringify(error.response && error.response.data)}`);
    }
  }
}

(async () => {
  for (const part of [orders, refunds, coupons, downloadsCertificates, encryptedMembers, uploads, downloadsBills, notifications, breadth, errors]) {
    try {
      await part();
    } catch (error) {
      console.error(`${part.name}: ${error.stack}`, error.response ? error.response.data : '');
      process.exitCode = 1;
    }
  }
})();
