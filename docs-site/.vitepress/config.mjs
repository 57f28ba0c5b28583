import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const base = process.env.SITE_BASE ?? '/'
const guides = JSON.parse(readFileSync(new URL('../guides/index.json', import.meta.url), 'utf8'))

// A highlighter of ten lines, in place of one that gives every word a span of its own: comments, strings, numbers, calls.
const html = text => text.replace(/[&<>]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c])
const parts = /(\/\/[^\n]*|(?:^|\n)#[^\n]*)|("(?:\\.|[^"\\\n])*"|`[^`]*`|'[^']*')|\b(true|false|nil|null|[0-9]+(?:\.[0-9]+)?)\b|([A-Za-z_]\w*)(?=\()|([&<>])/g
const highlight = code => `<pre class="code" v-pre><code>${code.replace(/\n$/, '').replace(parts, (all, comment, string, value, call) =>
  comment ? `<i>${html(comment)}</i>` : string ? `<q>${html(string)}</q>` : value ? `<b>${value}</b>` : call ? `<u>${call}</u>` : html(all))}</code></pre>`

// Nothing comes from another host, and no script runs that is not in a file or, by its hash, in the page.
const policies = new Map()
function policy(page) {
  const hashes = [...page.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(([, script]) =>
    `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  const key = hashes.join(' ')
  if (!policies.has(key)) {
    policies.set(key, `default-src 'none'; script-src 'self' ${key}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; ` +
      `font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'`)
  }
  return policies.get(key)
}

const language = (lang, link, words) => ({
  label: lang === 'en' ? 'English' : '简体中文', lang: lang === 'en' ? 'en' : 'zh-CN', link,
  themeConfig: {
    nav: [
      { text: words.guides, link: `${link}guide/first-day`, activeMatch: `^${link}guide/` },
      { text: words.operations, link: `${link}operations` },
    ],
    sidebar: {
      [`${link}guide/`]: guides.map(g => ({ text: g[lang], link: `${link}guide/${g.name}` })),
      [link]: [{ text: words.operations, link: `${link}operations` }],
    },
    // Where a page is changed: a guide itself, or the facts of which the others are made. VitePress copies the function: it
    // can use nothing outside of itself.
    editLink: { text: words.edit, pattern: ({ frontmatter }) =>
      'https://github.com/wxpay-go/wxpay/tree/main/' + (frontmatter.source ?? 'catalog/data') },
    docFooter: { prev: false, next: false },
    outline: false, aside: false,
    sidebarMenuLabel: words.menu, returnToTopLabel: words.top, langMenuLabel: words.languages, darkModeSwitchLabel: words.theme,
    skipToContentLabel: words.skip,
  },
})

export default defineConfig({
  srcDir: '.pages', outDir: 'dist', base, title: 'wxpay', description: '微信支付 APIv3 · Go',
  mpa: true, metaChunk: true, lastUpdated: false, appearance: true, ignoreDeadLinks: true, // build.mjs checks every link
  markdown: { highlight, attrs: { disable: true },  anchor: { permalink: false } },
  head: [['link', { rel: 'icon', href: `${base}icon.svg` }], ['script', { type: 'module', src: `${base}site.js` }]],
  // No framework wakes up in the page, so it needs no marks of one.
  transformHtml: page => page.replace(/<!--[[\]]?-->/g, '').replace('<head>', `<head><meta http-equiv="Content-Security-Policy" content="${policy(page)}">`),
  locales: {
    root: language('zh', '/', { guides: '指南', operations: '接口目录', edit: '修改此页', menu: '菜单', top: '返回顶部', languages: '切换语言', theme: '深色模式', skip: '跳到正文' }),
    en: language('en', '/en/', { guides: 'Guides', operations: 'Operations', edit: 'Edit this page', menu: 'Menu', top: 'Return to top', languages: 'Change language', theme: 'Dark mode', skip: 'Skip to content' }),
  },
  vite: { build: { reportCompressedSize: false, chunkSizeWarningLimit: 4096 } },
})
