// Builds the manual: node build.mjs [--family PREFIX]
//
// The pages of operations and notifications come from wxpay docs, the guides from guides/ and docs/. The pages are counted,
// every link is checked, and the result stands in dist/. --family takes only the pages whose path begins with PREFIX, while
// one works on the form of the site. SITE_BASE is the path under which the site is served, / by default.
//
// Bounds, on two cores: 4 minutes, 4 GB, 70 MB. Measured on 2026-11-30: 90 s of processor time (5 minutes of the clock on a
// machine that had much else to do), 2.8 GB at most in a process, 60 MB, 2,404 pages.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import MiniSearch from 'minisearch'
import { options } from './search.mjs'

const here = path.dirname(fileURLToPath(import.meta.url)), root = path.dirname(here)
const pages = path.join(here, '.pages'), dist = path.join(here, 'dist'), base = process.env.SITE_BASE ?? '/'
const languages = ['zh', 'en'], prefix = { zh: '', en: 'en/' }
const at = process.argv.indexOf('--family'), only = at > 0 ? process.argv[at + 1].replace(/^\//, '') : ''
const began = Date.now(), step = text => console.log(`${((Date.now() - began) / 1000).toFixed(0)}s ${text}`)
const fail = text => { console.error(`docs-site: ${text}`); process.exit(1) }
const run = (command, args, more = {}) => execFileSync(command, args, { cwd: root, stdio: 'inherit', ...more })

// Operations and notifications.
fs.rmSync(pages, { recursive: true, force: true })
const wxpay = path.join(here, '.vitepress/cache/wxpay')
run('go', ['build', '-o', wxpay, './cmd/wxpay'])
for (const lang of languages) run(wxpay, ['docs', '--all', '--lang', lang, '--output', path.join(pages, prefix[lang])])
const files = dir => fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter(f => f.isFile()).map(f => path.join(f.parentPath ?? f.path, f.name))
const isEvent = name => name.startsWith('notifications/')
const facts = new Map() // the pages of operations and notifications by name, as their Chinese page tells them
for (const file of files(pages)) {
  const name = path.relative(pages, file)
  if (/(^|\/)README\.md$/.test(name)) { fs.rmSync(file); continue }
  if (only && !name.replace(/^en\//, '').startsWith(only)) { fs.rmSync(file); continue }
  if (name.startsWith('en/')) continue
  const text = fs.readFileSync(file, 'utf8')
  const title = /^# (.*)$/m.exec(text)[1].replace(/\\(.)/g, '$1'), call = /^`(\S+(?: \/\S+)?)`$/m.exec(text)[1]
  const line = /^- \*\*产品：\*\*(.*)\n((?: {2}- .*\n)*)/m.exec(text)
  const tags = line && !line[1].startsWith(' 无') ? [...line[1].trim().split('、'), ...line[2].replace(/^ {2}- /gm, '').split('\n')].filter(Boolean).map(t => t.replace(/\\(.)/g, '$1')) : []
  const words = [...text.matchAll(/^\| (?:· )*`([^`]+)` \| [^|]* \| [^|]* \| ([^；|]*)/gm)].flatMap(m => [m[1], m[2].replace(/\\(.)/g, '$1')])
  facts.set(name, { title, call, tags: tags.length ? tags : [isEvent(name) ? '通知' : '其他'], words: [...new Set(words)].join(' '), old: /^- \*\*状态：\*\* 已/m.test(text) })
}
const operations = [...facts].filter(([name]) => !isEvent(name)), events = [...facts].filter(([name]) => isEvent(name))
if (!only && (operations.length < 1000 || events.length < 100)) fail(`there are ${operations.length} operations and ${events.length} notifications: some are missing`)
step(`${operations.length} operations and ${events.length} notifications in two languages`)

// The front matter tells pages apart in a browser's tab. An operation or notification that a page names is a link to its own.
const html = name => name.replace(/\.md$/, '.html')
const byCall = new Map([...facts].map(([name, fact]) => [fact.call, name]))
for (const [name, fact] of facts) {
  for (const lang of languages) {
    const file = path.join(pages, prefix[lang], name), front = `---\ntitle: ${JSON.stringify(`${fact.title} ${fact.call}`)}\n---\n`
    const text = fs.readFileSync(file, 'utf8').replace(/^( *- (?:\*\*[^*]*\*\* ?)?)(.*)$/gm, (line, head, value) => {
      const page = byCall.get(value.replace(/\\(.)/g, '$1'))
      return page ? `${head}[${value}](/${prefix[lang]}${html(page)})` : line
    })
    fs.writeFileSync(file, front + text)
  }
}

// Guides: a link to a page of the site stays in the site, and one to another file goes to the repository.
const guides = JSON.parse(fs.readFileSync(path.join(here, 'guides/index.json'), 'utf8'))
const source = (guide, lang) => guide.from?.[lang] ?? `docs-site/guides/${lang}/${guide.name}.md`
const places = new Map(guides.flatMap(guide => languages.map(lang => [source(guide, lang), `${prefix[lang]}guide/${guide.name}.html`])))
function rewrite(text, from) {
  return text.replace(/\]\((?![a-z]+:|#|\/)([^)#\s]*)(#[^)\s]*)?\)/g, (all, target, anchor = '') => {
    const file = path.posix.normalize(path.posix.join(path.posix.dirname(from), target))
    const place = places.get(file)
    if (place) return `](/${place}${anchor})`
    if (!fs.existsSync(path.join(root, file))) fail(`${from}: the link ${target} leads nowhere`)
    return `](https://github.com/wxpay-go/wxpay/blob/main/${file}${anchor})`
  })
}
const writeGuide = (name, lang, from) => fs.writeFileSync(path.join(pages, prefix[lang], name),
  `---\nsource: ${from}\n---\n` + rewrite(fs.readFileSync(path.join(root, from), 'utf8'), from))
for (const lang of languages) {
  fs.mkdirSync(path.join(pages, prefix[lang], 'guide'), { recursive: true })
  for (const guide of guides) writeGuide(`guide/${guide.name}.md`, lang, source(guide, lang))
  writeGuide('index.md', lang, `docs-site/guides/${lang}/index.md`)
}

// The list of operations by product family, and the families for the menu beside a page.
const families = new Map()
for (const [name, fact] of facts) for (const tag of fact.tags) {
  if (!families.has(tag)) families.set(tag, [])
  families.get(tag).push([html(name), fact.title])
}
const sorted = [...families].sort(([a], [b]) => (a < b ? -1 : 1))
const escape = text => text.replace(/([\\`*_[\]|<>])/g, '\\$1')
for (const lang of languages) {
  const title = lang === 'zh' ? '接口目录' : 'Operations'
  fs.writeFileSync(path.join(pages, prefix[lang], 'operations.md'), `# ${title}\n\n` + sorted.map(([family, list]) =>
    `## ${escape(family)}\n\n` + list.map(([page, name]) => {
      const fact = facts.get(page.replace(/html$/, 'md'))
      return `- [${escape(name)}](/${prefix[lang]}${page}) \`${fact.call}\`\n`
    }).join('')).join('\n'))
}

// VitePress.
fs.rmSync(dist, { recursive: true, force: true })
run(process.execPath, ['--max-old-space-size=4096', path.join(here, 'node_modules/vitepress/bin/vitepress.js'), 'build', here], { cwd: here })
step('built')

// Files of the browser. The operations that everybody needs come first, and a notification behind the operations.
const common = new Set(fs.readFileSync(path.join(here, 'common.txt'), 'utf8').split('\n').filter(Boolean))
for (const call of common) if (!only && !operations.some(([, fact]) => fact.call === call)) fail(`common.txt: there is no ${call}`)
for (const lang of languages) {
  const index = new MiniSearch(options)
  for (const [name, fact] of facts) {
    index.add({ id: prefix[lang] + html(name), title: `${fact.title} ${fact.call}`, family: fact.tags.join(' · '), words: fact.words,
      kind: isEvent(name) ? 'event' : fact.old ? 'old' : common.has(fact.call) ? 'common' : '' })
  }
  for (const guide of guides) {
    const text = fs.readFileSync(path.join(root, source(guide, lang)), 'utf8')
    index.add({ id: `${prefix[lang]}guide/${guide.name}.html`, title: guide[lang], family: lang === 'zh' ? '指南' : 'Guide', kind: 'guide',
      words: [...text.matchAll(/^#+ (.*)$/gm)].map(m => m[1]).join(' ') })
  }
  fs.writeFileSync(path.join(dist, `search-${lang}.json`), JSON.stringify(index))
}
fs.writeFileSync(path.join(dist, 'families.json'), JSON.stringify(sorted.map(([name, pages]) => ({ name, pages }))))
fs.copyFileSync(path.join(here, 'node_modules/minisearch/dist/es/index.js'), path.join(dist, 'minisearch.js'))
for (const name of ['icon.svg', 'site.js', 'search.mjs']) fs.copyFileSync(path.join(here, name), path.join(dist, name))

// Check: every page is there, every link leads to one, the whole is small enough.
const built = new Map(files(dist).map(file => [path.relative(dist, file), file]))
const want = 2 * (facts.size + guides.length + 2) // with the home page and the list
const found = [...built.keys()].filter(name => name.endsWith('.html') && name !== '404.html')
if (found.length !== want) fail(`${found.length} pages are built, ${want} are wanted`)
let links = 0
const dead = [], ids = new Map()
const idsOf = name => { if (!ids.has(name)) ids.set(name, new Set([...fs.readFileSync(built.get(name), 'utf8').matchAll(/ id="([^"]+)"/g)].map(m => m[1]))); return ids.get(name) }
for (const name of found) {
  for (const [, value] of fs.readFileSync(built.get(name), 'utf8').matchAll(/<(?:a|link|script|img)\b[^>]*? (?:href|src)="([^"]+)"/g)) {
    const target = new URL(value.replace(/&amp;/g, '&'), `http://site${base}${name}`)
    const ours = /^\/wxpay-go\/wxpay\/(?:tree|blob)\/main\/(.*)/.exec(target.pathname)
    if (target.host === 'github.com' && ours && !fs.existsSync(path.join(root, decodeURIComponent(ours[1])))) dead.push(`${name}: ${value}`)
    if (target.host !== 'site') continue
    links++
    let file = decodeURIComponent(target.pathname)
    if (!file.startsWith(base)) { dead.push(`${name}: ${value}`); continue }
    file = file.slice(base.length)
    if (file === '' || file.endsWith('/')) file += 'index.html'
    const anchor = decodeURIComponent(target.hash.slice(1))
    if (only && !built.has(file)) continue // of another family
    if (!built.has(file) || (anchor && file.endsWith('.html') && !idsOf(file).has(anchor))) dead.push(`${name}: ${value}`)
  }
}
if (dead.length) fail(`${dead.length} dead links of ${links}:\n  ${dead.slice(0, 20).join('\n  ')}`)
const size = [...built.values()].reduce((sum, file) => sum + fs.statSync(file).size, 0)
step(`${found.length} pages, ${links} links, ${(size / 1e6).toFixed(0)} MB`)
if (size > 70e6) fail('the site is larger than 70 MB')
