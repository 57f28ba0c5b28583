// What people type, and what they expect among the first three: node --test search.test.mjs, after build.mjs.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import MiniSearch from 'minisearch'
import { ask, options, tokenize } from './search.mjs'

const index = lang => MiniSearch.loadJSON(fs.readFileSync(new URL(`dist/search-${lang}.json`, import.meta.url), 'utf8'), options)
const zh = index('zh'), en = index('en')

const queries = {
  转账: 'transfer-bills', 企业付款: 'transfer', 商家转账: 'transfer', 退款: 'refund', refund: 'refund', 申请退款: 'refunds.post', Native下单: 'native.post',
  native: 'native', 扫码支付: 'native', 小程序: 'jsapi', 公众号: 'jsapi', h5: 'h5', 付款码: 'codepay', 分账: 'profitsharing', 账单: 'bill', 对账单: 'bill',
  交易账单: 'tradebill', 资金账单: 'fundflowbill', 会员动态: 'user-feeds', 用户动态: 'user-feeds', 平台证书: 'certificates', 代金券: 'favor', 投诉: 'complaint',
  委托代扣: 'papay', 支付分: 'payscore', 进件: 'applyment', 上传图片: 'upload', '/v3/pay/transactions/native': 'transactions/native', out_refund_no: 'refund',
  'TRANSACTION.SUCCESS': 'TRANSACTION.SUCCESS', 关闭订单: 'close', 查询订单: 'transactions', 提现: 'withdraw', 余额: 'balance', 合单: 'combine', 发票: 'fapiao',
}

for (const [lang, found] of [['zh', zh], ['en', en]]) {
  test(`${Object.keys(queries).length} queries (${lang})`, () => {
    assert.ok(Object.keys(queries).length >= 30)
    const wrong = []
    for (const [text, want] of Object.entries(queries)) {
      const first = ask(found, text).slice(0, 3).map(hit => hit.id)
      if (!first.some(id => id.includes(want))) wrong.push(`${text}: ${want} is not in ${first.join(', ')}`)
    }
    assert.deepEqual(wrong, [])
  })
}

const guides = JSON.parse(fs.readFileSync(new URL('guides/index.json', import.meta.url), 'utf8'))
const guideWords = {
  zh: { 前端: 'front-ends', 调起支付: 'front-ends', 分账与服务商: 'profit-sharing', 密钥与证书: 'keys', 测试: 'testing', 迁移: 'moving' },
  en: { 'front ends': 'front-ends', 'service providers': 'profit-sharing', keys: 'keys', testing: 'testing', moving: 'moving', production: 'production' },
}
for (const [lang, found] of [['zh', zh], ['en', en]]) {
  test(`guides by their titles and by a word (${lang})`, () => {
    const wanted = [...guides.map(guide => [guide[lang], guide.name]), ...Object.entries(guideWords[lang])]
    const wrong = []
    for (const [text, name] of wanted) {
      const first = ask(found, text).slice(0, 5).map(hit => hit.id)
      if (!first.some(id => id.endsWith(`guide/${name}.html`))) wrong.push(`${text}: ${name} is not in ${first.join(', ')}`)
    }
    assert.deepEqual(wrong, [])
  })
}

test('nothing is found for what is nowhere', () => assert.deepEqual(ask(zh, 'qwertzuiop'), []))

test('tokens', () => {
  assert.deepEqual(tokenize('商家转账'), ['商家转账', '商家', '家转', '转账'])
  assert.deepEqual(tokenize('out_refund_no'), ['out_refund_no', 'out', 'refund', 'no'])
  assert.deepEqual(tokenize('GET /v3/bill/tradebill'), ['/v3/bill/tradebill', 'get', 'v3', 'bill', 'tradebill'])
})
