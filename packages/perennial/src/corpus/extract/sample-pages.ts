/**
 * Page chrome as it is found on the web, for tests, benchmarks and the demo: an article with known text is wrapped in menus, sidebars, share
 * bars, comments and footers, by the conventions of common site software. Nothing of the chrome belongs to the article.
 */
export interface Article {
  readonly title: string;
  /** HTML of the article, title not included. */
  readonly html: string;
  readonly language: string;
  /** Chooses among the phrases of the chrome. */
  readonly variant?: number;
}

interface Phrases {
  readonly menu: readonly string[];
  readonly more: readonly string[];
  readonly notice: string;
  readonly comment: string;
  readonly rights: string;
}

/** Words of the chrome by language; languages that have none get English chrome, as many sites do. */
const PHRASES: Readonly<Record<string, Phrases>> = {
  en: {
    menu: ["Home", "Products", "Pricing", "Support", "About us", "Contact", "Log in", "Blog", "Careers", "Press"],
    more: [
      "Ten things you did not know about your printer",
      "How we moved our servers to a new hall",
      "The best keyboards of this year",
      "Five tips for a tidy desk",
    ],
    notice:
      "We use cookies to improve your experience on this site. By continuing to browse you accept our use of cookies and our privacy policy.",
    comment: "Thanks a lot, this was exactly what I have been looking for since last week. It works on my machine as well!",
    rights: "All rights reserved. Terms of use. Privacy policy.",
  },
  fr: {
    menu: ["Accueil", "Produits", "Tarifs", "Assistance", "À propos", "Contact", "Connexion", "Blog", "Emplois", "Presse"],
    more: [
      "Dix choses que vous ignorez sur votre imprimante",
      "Comment nous avons déplacé nos serveurs",
      "Les meilleurs claviers de l’année",
      "Cinq conseils pour un bureau rangé",
    ],
    notice:
      "Nous utilisons des cookies pour améliorer votre expérience. En poursuivant votre navigation, vous acceptez leur utilisation et notre politique de confidentialité.",
    comment: "Merci beaucoup, c’est exactement ce que je cherchais depuis la semaine dernière. Cela marche aussi chez moi !",
    rights: "Tous droits réservés. Mentions légales. Confidentialité.",
  },
  de: {
    menu: ["Startseite", "Produkte", "Preise", "Hilfe", "Über uns", "Kontakt", "Anmelden", "Blog", "Stellen", "Presse"],
    more: [
      "Zehn Dinge, die Sie über Ihren Drucker nicht wussten",
      "Wie wir unsere Server umgezogen haben",
      "Die besten Tastaturen des Jahres",
      "Fünf Tipps für einen aufgeräumten Schreibtisch",
    ],
    notice:
      "Wir verwenden Cookies, um diese Seite zu verbessern. Wenn Sie weiterlesen, stimmen Sie der Verwendung von Cookies und unserer Datenschutzerklärung zu.",
    comment: "Vielen Dank, genau das habe ich seit letzter Woche gesucht. Bei mir hat es auch funktioniert!",
    rights: "Alle Rechte vorbehalten. Impressum. Datenschutz.",
  },
  ja: {
    menu: ["ホーム", "製品", "料金", "サポート", "会社概要", "お問い合わせ", "ログイン", "ブログ", "採用情報", "プレス"],
    more: [
      "プリンターについて知らなかった十のこと",
      "サーバーを新しい建物に移した方法",
      "今年の最高のキーボード",
      "机を片付ける五つのコツ",
    ],
    notice:
      "当サイトではサービス向上のためにクッキーを使用しています。閲覧を続けると、クッキーの使用とプライバシーポリシーに同意したものとみなされます。",
    comment: "ありがとうございます。先週からずっと探していた情報でした。私の環境でも問題なく動きました。",
    rights: "無断転載を禁じます。利用規約。プライバシーポリシー。",
  },
  hi: {
    menu: ["मुखपृष्ठ", "उत्पाद", "मूल्य", "सहायता", "हमारे बारे में", "संपर्क", "लॉग इन", "ब्लॉग", "नौकरियाँ", "प्रेस"],
    more: ["आपके प्रिंटर के बारे में दस बातें", "हमने अपने सर्वर कैसे बदले", "इस साल के सबसे अच्छे कीबोर्ड", "साफ मेज के लिए पाँच सुझाव"],
    notice: "हम इस साइट को बेहतर बनाने के लिए कुकीज़ का उपयोग करते हैं। आगे बढ़ने पर आप कुकीज़ के उपयोग और हमारी गोपनीयता नीति से सहमत होते हैं।",
    comment: "बहुत धन्यवाद, मैं पिछले सप्ताह से ठीक यही खोज रहा था। मेरे यहाँ भी यह काम करता है।",
    rights: "सर्वाधिकार सुरक्षित। नियम और शर्तें। गोपनीयता।",
  },
};

type Template = (article: Article, phrases: Phrases) => string;

const links = (words: readonly string[]) => words.map((word, i) => `<li class="menu-item"><a href="/${i}">${word}</a></li>`).join("");
const head = ({ title, language }: Article, extra = "") =>
  `<!DOCTYPE html><html lang="${language}"><head><meta charset="utf-8"><title>${title} – Example</title><style>.x{}</style>${extra}</head>`;

export const pageTemplates: Readonly<Record<string, Template>> = {
  blog: (article, { menu, more, notice, comment, rights }) =>
    `${head(article)}<body class="single-post has-sidebar"><div id="cookie-notice"><p>${notice}</p><button>OK</button></div>
<header class="site-header"><p class="site-title"><a href="/">Example</a></p><nav class="main-navigation"><ul>${links(menu)}</ul></nav></header>
<div class="site-content"><main class="site-main"><article class="post"><header class="entry-header"><h1>${article.title}</h1><div class="entry-meta byline"><a href="/a">admin</a> · <time>2024-05-01</time></div></header>
<div class="entry-content">${article.html}</div><div class="sharedaddy share-buttons"><ul><li><a href="#">Facebook</a></li><li><a href="#">X</a></li></ul></div>
<footer class="entry-footer"><span class="tags"><a href="/t">${menu[7]}</a>, <a href="/u">${menu[3]}</a></span></footer></article>
<div id="comments" class="comments-area"><h2>2 comments</h2><ol class="comment-list"><li><p>${comment}</p></li><li><p>${comment} ${comment}</p></li></ol></div></main>
<aside class="widget-area sidebar"><section class="widget"><h2>${menu[7]}</h2><ul>${links(more)}</ul></section><section class="widget"><p>${notice}</p></section></aside></div>
<footer class="site-footer"><p>© 2024 Example. ${rights}</p><ul>${links(menu.slice(4))}</ul></footer><script>var a = "${comment}";</script></body></html>`,
  docs: (article, { menu, more, rights }) =>
    `${head(article, '<link rel="stylesheet" href="x.css">')}<body><div class="related" role="navigation"><h3>Navigation</h3><ul>${links(menu.slice(0, 4))}</ul></div>
<div class="document"><div class="documentwrapper"><div class="bodywrapper"><div class="body" role="main"><section id="s"><h1>${article.title}<a class="headerlink" href="#s">¶</a></h1>${article.html}</section></div></div></div>
<div class="sphinxsidebar" role="navigation"><div class="sphinxsidebarwrapper"><h3><a href="i">${menu[0]}</a></h3><ul class="toctree">${links(more)}</ul><div id="searchbox"><form><input type="text"><input type="submit" value="Go"></form></div></div></div></div>
<div class="footer">© 2024, Example. ${rights} Created using <a href="s">Sphinx</a>.</div></body></html>`,
  wiki: (article, { menu, more, rights }) =>
    `${head(article)}<body class="mediawiki"><div id="mw-page-base" class="noprint"></div><div id="content" class="mw-body"><div id="siteNotice"></div><h1 id="firstHeading">${article.title}</h1><div id="bodyContent">
<div id="contentSub"></div><a class="mw-jump-link skip" href="#p">${menu[0]}</a><div id="mw-content-text"><div class="mw-parser-output">${article.html}</div></div>
<div id="catlinks" class="catlinks navigation"><a href="c">${menu[1]}</a>: <ul><li><a href="d">${more[0]}</a></li><li><a href="e">${more[1]}</a></li></ul></div></div></div>
<div id="mw-navigation"><div id="mw-head"><ul>${links(menu)}</ul></div><div id="mw-panel">${more.map((text) => `<nav><h3>${menu[2]}</h3><ul><li><a href="#">${text}</a></li></ul></nav>`).join("")}</div></div>
<footer id="footer"><ul><li>${rights}</li></ul></footer></body></html>`,
  news: (article, { menu, more, notice, rights }) =>
    `${head(article)}<body><div class="topbar"><a href="/">Example News</a> <a href="/s">${menu[6]}</a></div><div class="header"><ul class="megamenu">${links(menu)}</ul></div>
<div class="page"><div class="col-8 story"><div class="breadcrumbs"><a href="/">${menu[0]}</a> › <a href="/x">${menu[9]}</a></div><h1 class="headline">${article.title}</h1><div class="social-share"><a href="#">Share</a><a href="#">Mail</a></div>
<div class="advertisement"><p>${more[2]}</p></div><div class="story-body">${article.html}</div><div class="newsletter-signup"><h3>Newsletter</h3><p>${notice}</p><form><input name="m"></form></div>
<div class="related-stories"><h3>${menu[7]}</h3>${more.map((text, i) => `<div class="card"><a href="/${i}"><h4>${text}</h4><p>${text}. ${notice}</p></a></div>`).join("")}</div></div>
<div class="col-4"><div class="trending"><ol>${links(more)}</ol></div></div></div><div class="bottom"><p>© Example News. ${rights}</p></div></body></html>`,
  table: (article, { menu, more, rights }) =>
    `<html><head><title>${article.title}</title><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body bgcolor=white><center><font size=2>${menu.map((word, i) => `<a href=${i}.htm>${word}</a>`).join(" | ")}</font></center>
<table width="100%"><tr><td width=150 valign=top>${more.map((text) => `<a href=x.htm>${text}</a><br>`).join("")}</td><td valign=top><h1>${article.title}</h1>${article.html}</td></tr>
<tr><td colspan=2 align=center><font size=1>${rights} <a href=mail>${menu[5]}</a></font></td></tr></table></body></html>`,
  app: (article, { menu, more, notice, rights }) =>
    `${head(article)}<body><div id="root"><div class="css-1x2y3"><div class="css-a1"><div class="css-b2">${menu.map((word) => `<div class="css-link"><a href="#">${word}</a></div>`).join("")}</div></div>
<div class="css-c3"><div class="css-d4"><div class="css-e5">${more.map((text) => `<div><a href="#">${text}</a></div>`).join("")}</div><div class="css-f6"><h1>${article.title}</h1><div class="css-g7">${article.html}</div></div></div></div>
<div class="css-h8"><div>${rights}</div></div></div></div><div role="dialog" aria-modal="true"><p>${notice}</p></div><div style="display: none"><p>${notice} ${notice}</p></div></body></html>`,
};

/** The article inside a page of the named template. */
export function wrapArticle(template: string, article: Article): string {
  const phrases = PHRASES[article.language.slice(0, 2)] ?? PHRASES.en!;
  const turn = article.variant ?? 0;
  const turned = (words: readonly string[]) => words.map((_, i) => words[(i + turn) % words.length]!);
  return pageTemplates[template]!(article, { ...phrases, menu: turned(phrases.menu), more: turned(phrases.more) });
}
