// What the pages do: search, switch of the theme, the menu on a phone, copying of code, the list of the product family.
import MiniSearch from './minisearch.js'
import { ask, options } from './search.mjs'

const base = new URL('.', import.meta.url).href
const english = document.documentElement.lang === 'en'
const say = (en, zh) => (english ? en : zh)
const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more)

// Search.
const input = document.getElementById('search'), found = document.getElementById('found')
let index
const load = () => (index ??= fetch(`${base}search-${english ? 'en' : 'zh'}.json`).then(r => r.text()).then(text => MiniSearch.loadJSON(text, options)))
input.placeholder = say('Search', '搜索')
input.addEventListener('focus', load, { once: true })
input.addEventListener('input', async () => {
  const text = input.value, list = text.trim() ? ask(await load(), text).slice(0, 20) : []
  if (text !== input.value) return // another letter was typed meanwhile
  found.replaceChildren(...list.map(hit => {
    const link = element('a', hit.title, { href: base + hit.id })
    if (hit.family) link.append(element('small', hit.family))
    return link
  }))
  if (text.trim() && !list.length) found.append(element('p', say('Nothing found.', '没有结果。')))
  found.hidden = !text.trim()
})
input.addEventListener('keydown', event => { if (event.key === 'ArrowDown') { event.preventDefault(); found.querySelector('a')?.focus() } })
found.addEventListener('keydown', event => {
  const to = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key]
  if (to) { event.preventDefault(); (document.activeElement[to] ?? input).focus() }
})
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') found.hidden = true
  if (event.key === '/' && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) { event.preventDefault(); input.focus() }
})
document.addEventListener('click', event => { if (!event.target.closest('.search')) found.hidden = true })

// Theme.
for (const button of document.querySelectorAll('.VPSwitchAppearance')) {
  button.addEventListener('click', () => {
    const dark = document.documentElement.classList.toggle('dark')
    localStorage.setItem('vitepress-theme-appearance', dark ? 'dark' : 'light')
    button.setAttribute('aria-checked', dark)
  })
}

// Menus: of the product family on a phone, and of languages by click as well as by pointer.
for (const button of document.querySelectorAll('.VPNavBarHamburger, .VPLocalNav .menu')) {
  button.addEventListener('click', event => { event.stopPropagation(); document.body.classList.toggle('menu') })
}
for (const flyout of document.querySelectorAll('.VPFlyout')) {
  const button = flyout.querySelector('button'), menu = flyout.querySelector('.menu')
  button?.addEventListener('click', () => {
    const open = button.getAttribute('aria-expanded') !== 'true'
    button.setAttribute('aria-expanded', open)
    menu.style.opacity = open ? 1 : ''
    menu.style.visibility = open ? 'visible' : ''
  })
}

// On a phone the menu at the side also has what stands at the top elsewhere.
const side = document.querySelector('.VPSidebar nav')
if (side) {
  const top = element('ul', '', { className: 'family phone' })
  for (const link of document.querySelectorAll('.VPNavBarMenu a, .VPNavBarTranslations a')) {
    const line = element('li', '')
    line.append(element('a', link.textContent.trim(), { href: link.href }))
    top.append(line)
  }
  side.prepend(top)
}

// Copying.
for (const block of document.querySelectorAll('.vp-doc div[class*="language-"]')) {
  const button = block.querySelector('button.copy')
  button?.addEventListener('click', async () => {
    await navigator.clipboard.writeText(block.querySelector('code').textContent)
    button.classList.add('copied')
    setTimeout(() => button.classList.remove('copied'), 2000)
  })
}

// The operations of the page's family.
const family = document.getElementById('family'), here = location.href.split(/[?#]/)[0].slice(base.length).replace(/(\.html)?$/, '.html')
const page = here.replace(/^en\//, '')
if (family && /^(v3|hk|global|brand|invoicing|notifications)\//.test(page)) {
  const families = await fetch(`${base}families.json`).then(r => r.json())
  const own = families.find(f => f.pages.some(([path]) => path === page))
  if (own) {
    family.append(element('li', own.name, { style: 'font-weight:600' }), ...own.pages.map(([path, name]) => {
      const line = element('li', '')
      line.append(element('a', name, { href: `${base}${english ? 'en/' : ''}${path}`, className: path === page ? 'here' : '' }))
      return line
    }))
    family.querySelector('.here')?.scrollIntoView({ block: 'nearest' })
  }
}
