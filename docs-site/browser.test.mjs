// A person's way through the built site, in a real browser: node --test browser.test.mjs
//
// It needs the build of build.mjs and Chromium (CHROMIUM names another than Debian's). SHOTS names a folder for pictures.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const dist = path.join(path.dirname(fileURLToPath(import.meta.url)), 'dist'), base = process.env.SITE_BASE ?? '/'
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml' }
let server, browser, origin
const foreign = [], broken = []

before(async () => {
  server = http.createServer((request, response) => {
    let file = decodeURIComponent(new URL(request.url, 'http://site').pathname)
    file = path.join(dist, file.startsWith(base) ? file.slice(base.length) : 'nothing')
    if (fs.existsSync(file) && fs.statSync(file).isDirectory()) file = path.join(file, 'index.html')
    for (const found of [file, file + '.html']) if (fs.existsSync(found)) {
      response.setHeader('Content-Type', types[path.extname(found)] ?? 'application/octet-stream')
      return fs.createReadStream(found).pipe(response)
    }
    response.statusCode = 404
    response.end()
  })
  await new Promise(ready => server.listen(0, '127.0.0.1', ready))
  origin = `http://127.0.0.1:${server.address().port}`
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
})
after(async () => { await browser?.close(); server?.close() })

async function open(at, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, permissions: ['clipboard-read', 'clipboard-write'], ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(60000)
  page.on('request', request => { if (!request.url().startsWith(origin)) foreign.push(request.url()) })
  page.on('console', message => { if (message.type() === 'error') broken.push(`${at}: ${message.text()}`) })
  page.on('pageerror', error => broken.push(`${at}: ${error.message}`))
  const response = await page.goto(origin + base + at)
  assert.equal(response.status(), 200, at)
  return page
}
async function picture(page, name) {
  if (!process.env.SHOTS) return
  fs.mkdirSync(process.env.SHOTS, { recursive: true })
  await page.screenshot({ path: path.join(process.env.SHOTS, name + '.png') })
}

test('ten pages', async () => {
  for (const [at, text] of [
    ['', '任意路径均可直接调用'], ['en/', 'any path'], ['operations.html', '接口目录'], ['guide/first-day.html', '第一天'],
    ['v3/pay/transactions/native.post', 'Native下单'], ['en/v3/pay/transactions/native.post.html', 'Response of the sandbox'],
    ['v3/pay/transactions/id/_transaction_id_.get.html', '查询'], ['v3/refund/domestic/refunds.post.html', '动用资金'],
    ['v3/fund-app/mch-transfer/transfer-bills.post.html', '转账'], ['notifications/TRANSACTION.SUCCESS.html', '通知内容示例'],
  ]) {
    const page = await open(at)
    assert.ok((await page.locator('main').innerText()).includes(text), `${at} has ${text}`)
    await page.context().close()
  }
})

test('search for 转账, and open what is found', async () => {
  const page = await open('')
  await page.locator('#search').fill('转账')
  const first = page.locator('#found a').first()
  assert.match(await first.innerText(), /转账/)
  await picture(page, 'search')
  await first.click()
  await page.waitForURL(/v3\//)
  assert.match(await page.locator('h1').innerText(), /转账/)
  await page.locator('.family a.here').waitFor()
})

test('an operation that a page names is a link to its page', async () => {
  const page = await open('v3/pay/transactions/native.post.html')
  await page.locator('main a').filter({ hasText: 'GET /v3/pay/transactions/out-trade-no/{out_trade_no}' }).click()
  await page.waitForURL(/out-trade-no\/_out_trade_no_\.get/)
  await page.locator('main a').filter({ hasText: 'POST /v3/pay/transactions/native' }).waitFor()
})

test('switch the language and stay on the page', async () => {
  const page = await open('v3/pay/transactions/native.post.html')
  await page.locator('.VPNavBarTranslations button').click()
  await page.locator('.VPNavBarTranslations a').filter({ hasText: 'English' }).click()
  await page.waitForURL(/en\/v3\/pay\/transactions\/native\.post/)
  assert.match(await page.locator('main').innerText(), /Command line/)
})

test('copy a sample', async () => {
  const page = await open('v3/pay/transactions/native.post.html')
  const block = page.locator('div.language-go').first()
  await block.hover()
  await block.locator('button.copy').click()
  await block.locator('button.copied').waitFor()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  assert.match(copied, /client\.Chain\("v3\/pay\/transactions\/native"\)\.Post\(ctx, body\)/)
  assert.match(copied, /"total": 100/)
})

test('dark mode stays', async () => {
  const page = await open('v3/pay/transactions/native.post.html', { colorScheme: 'light' })
  await picture(page, 'desktop')
  await page.locator('.VPNavBarAppearance button').click()
  assert.ok(await page.evaluate(() => document.documentElement.classList.contains('dark')))
  await page.reload()
  assert.ok(await page.evaluate(() => document.documentElement.classList.contains('dark')))
  await picture(page, 'dark')
})

test('a phone: nothing is wider than the screen, and the menu opens', async () => {
  const page = await open('v3/pay/transactions/native.post.html', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page does not scroll sideways')
  await picture(page, 'phone')
  await page.locator('.VPNavBarHamburger').tap()
  await page.locator('.VPSidebar .family a.here').waitFor()
  assert.ok(await page.locator('.VPSidebar').isVisible())
  await picture(page, 'phone-menu')
  await page.locator('.family.phone a').filter({ hasText: 'English' }).tap()
  await page.waitForURL(/\/en\//)
})

test('no request to another host, and no error in the console', () => {
  assert.deepEqual(foreign, [])
  assert.deepEqual(broken, [])
})
