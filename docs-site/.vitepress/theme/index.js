import { h } from 'vue'
import DefaultTheme from 'vitepress/theme-without-fonts'
import './style.css'

// The pages have no framework at run time: site.js fills what is marked here.
export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, {
    'nav-bar-content-before': () => h('div', { class: 'search' }, [
      h('input', { id: 'search', type: 'search', placeholder: '搜索 Search', autocomplete: 'off', 'aria-label': '搜索 Search' }),
      h('div', { id: 'found', hidden: true }),
    ]),
    'sidebar-nav-after': () => h('ul', { id: 'family', class: 'family' }),
  }),
}
