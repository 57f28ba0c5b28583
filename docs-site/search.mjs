// Full-text search that works for Chinese, in Node when the index is built and in the browser when it is asked.

// tokenize divides a text into runs of Chinese (whole, and in pairs of characters), words of other scripts (whole, and in
// their parts between - and _), whole paths, and whole types of notifications.
export function tokenize(text) {
  const out = []
  text = String(text).toLowerCase()
  for (const [name] of text.matchAll(/[a-z_]+(?:\.[a-z_]+)+/g)) out.push(name)
  for (const [path] of text.matchAll(/\/[a-z0-9/{}_-]+/g)) out.push(path.replace(/[{}]/g, ''))
  for (const [run] of text.matchAll(/[\u3400-\u9fff]+|[a-z0-9_-]+/g)) {
    if (run.charCodeAt(0) >= 0x3400) {
      out.push(run)
      if (run.length > 2) for (let i = 0; i + 1 < run.length; i++) out.push(run.slice(i, i + 2))
    } else {
      out.push(run)
      const parts = run.split(/[-_]+/).filter(Boolean)
      if (parts.length > 1) out.push(...parts)
    }
  }
  return out
}

// synonyms are what people say, and how the names of operations say it: former names, English, everyday words.
const synonyms = {
  企业付款: '商家转账 转账', 付款到零钱: '商家转账 转账', 转账到零钱: '商家转账 转账', 提现到零钱: '商家转账 转账', transfer: '转账',
  扫码: 'native', 扫码支付: 'native下单', 二维码: 'native', 小程序: 'jsapi jsapi下单 miniprogram', 公众号: 'jsapi', 网页: 'h5', 手机浏览器: 'h5',
  付款码: 'codepay 付款码', 刷卡: '付款码', 下单: '下单', order: '下单', pay: '支付 下单',
  refund: '退款', 退钱: '退款', 对账: '账单', 对账单: '账单', 流水: '资金账单', bill: '账单', 会员动态: '用户动态', 会员: '会员卡',
  分帐: '分账', profitsharing: '分账', 红包: '红包', 优惠券: '代金券 商家券', 立减金: '代金券', coupon: '代金券 商家券',
  自动续费: '委托代扣 代扣', 自动扣款: '委托代扣 代扣', 代扣: '代扣', 进件: '进件', 入驻: '进件', 发票: '发票', 投诉: '投诉', complaint: '投诉',
  平台证书: '平台证书 certificates', 证书: 'certificates 证书', certificate: 'certificates', 回调: '通知', webhook: '通知', notify: '通知',
  关单: '关闭订单', 关闭: '关闭订单', 查单: '查询订单 订单号查询', 余额: '余额', 提现: '提现',
}

// fields are those of the index: the name with method and path, the product families with synonyms, and the fields.
export const options = {
  fields: ['title', 'family', 'words'], storeFields: ['title', 'family', 'kind'], tokenize, processTerm: term => term,
}

// ask returns what an index knows about a text, the best first. All words have to be found, or else any.
export function ask(index, text) {
  text = text.trim().toLowerCase()
  const wanted = synonyms[text] ?? text.replace(/[^\s]+/g, word => synonyms[word] ?? word)
  const how = {
    prefix: term => term.length > 2, fuzzy: false, boost: { title: 8, family: 3 },
    boostDocument: (_, __, stored) => (({ common: 3, guide: 2, old: 0.3, event: 0.5 })[stored.kind] ?? 1),
  }
  if (wanted === text) {
    const all = index.search(text, { ...how, combineWith: 'AND' })
    if (all.length > 0) return all
  }
  return index.search(wanted, { ...how, combineWith: 'OR' })
}
