"use strict";
// The country of the phone form works as a plain select without this file. It adds a search by any name, and a select
// that follows a number typed, pasted or filled in with its calling code.
(() => {
  // The main country of a shared calling code, and the mobile prefixes of the others (libphonenumber; a test compares).
  const MAIN = {
    1: "US", 7: "RU", 39: "IT", 44: "GB", 47: "NO", 61: "AU", 212: "MA", 262: "RE", 290: "SH", 358: "FI", 590: "GP", 599: "CW",
  };
  const PREFIXES = {
    1: {
      AG: "268", AI: "264", AS: "684", BB: "246", BM: "441", BS: "242", DM: "767", DO: "809 829 849", GD: "473", GU: "671",
      JM: "658 876", KN: "869", KY: "345", LC: "758", MP: "670", MS: "664", PR: "787 939", SX: "721", TC: "649", TT: "868",
      VC: "784", VG: "284", VI: "340",
      CA: "204 226 236 249 250 257 263 273 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 468 474 506 514 519 548 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942",
    },
    7: {KZ: "7"},
    44: {GG: "7781 7839 79111 79117", IM: "74576 7524 76", JE: "7509 77003 77007 77008 7797 7829 7937"},
    262: {YT: "63 7093"},
    599: {BQ: "3 4 7"},
  };
  // Other names of a country, and its native name where browsers do not know the language.
  const ALIASES = {
    AE: "uae,emirates,dubai,abu dhabi", AL: "shqipëria", AM: "հայաստան", AZ: "azərbaycan", AG: "antigua,barbuda", BA: "bosnia,herzegovina", BN: "brunei", BT: "འབྲུག", BY: "byelorussia",
    CD: "drc,dr congo,zaire,congo kinshasa", CF: "car", CG: "congo,republic of the congo", CI: "ivory coast", CN: "prc,mainland china",
    CV: "cape verde", CZ: "czech republic,czechia", DE: "brd", DO: "dominican", ES: "canary islands,canarias", FM: "micronesia", FO: "føroyar",
    GB: "uk,u k,great britain,britain,england,scotland,wales,northern ireland,ulster", GE: "საქართველო", GL: "kalaallit nunaat", GR: "hellas,ellada",
    HK: "hong kong,hongkong,hksar", IE: "eire,republic of ireland", IN: "bharat,hindustan", IR: "persia", JP: "nippon,nihon",
    KG: "кыргызстан", KH: "kampuchea,កម្ពុជា", KN: "saint kitts,nevis", KP: "north korea,dprk", KZ: "қазақстан", KR: "한국,korea,south korea,republic of korea,rok", LA: "lao,ລາວ",
    LK: "ceylon,ශ්‍රී ලංකා", LU: "lëtzebuerg", MD: "moldavia", MF: "saint martin", MK: "macedonia,fyrom", MM: "burma,မြန်မာ", MN: "монгол", MO: "macau,macao", MX: "mejico", NL: "holland,the netherlands",
    NZ: "aotearoa", PG: "png", PH: "philipines,phillipines", PS: "palestine,gaza,west bank", PT: "madeira,azores", RU: "russian federation", SA: "ksa",
    ST: "sao tome", SX: "saint maarten", SZ: "swaziland,eswatini", TH: "siam", TJ: "тоҷикистон", TL: "east timor", TR: "turkey,turkiye",
    TT: "trinidad,tobago", TW: "formosa,roc", TZ: "zanzibar", US: "usa,u s,u s a,america,united states of america,the states",
    UZ: "oʻzbekiston,ozbekiston,ўзбекистон", VA: "vatican,holy see", VG: "bvi", VI: "usvi", VN: "viet nam", ZA: "rsa",
  };
  // The name in the country's own language is searched as well.
  const LANGUAGES = ("en ar bn cs da de el es fa fi fil fr gu he hi hr hu id it ja ka kk ko mr ms nb nl pa pl pt ro ru sk sr sv sw ta te th " +
    "tr uk ur uz vi zh-Hans zh-Hant").split(" ");

  const $ = (selector, root = document) => root.querySelector(selector);
  const make = (tag, attributes = {}, text = "") => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };
  const PLAIN = {ø: "o", ł: "l", ß: "ss", æ: "ae", œ: "oe", đ: "d", ı: "i", ə: "e", ʻ: ""}; // without a Unicode decomposition
  const fold = (text) => text.normalize("NFKD").replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "").toLowerCase()
    .replace(/[øłßæœđıəʻ]/g, (letter) => PLAIN[letter]).replace(/[^\p{L}\p{N}+]+/gu, " ").replace(/\bsaint\b/g, "st")
    .replace(/\b(the|and)\b/g, "").replace(/\s+/g, " ").trim();

  // Digits of any script
  const isDigit = (point) => /\p{Nd}/u.test(String.fromCodePoint(point));
  const digits = (text) => [...text.normalize("NFKC")].map((character) => {
    const point = character.codePointAt(0);
    if (!isDigit(point)) return "";
    let zero = point;
    while (point - zero < 9 && isDigit(zero - 1)) zero -= 1;
    return point - zero;
  }).join("");

  // The country of an international number ---------------------------------------------------------
  // {code, region}: region is "" while the digits so far fit several countries, or when several share their numbers.
  function countryOf(number, codes) {
    const code = codes.filter((item) => number.startsWith(item)).sort((a, b) => b.length - a.length)[0];
    if (!code) return null;
    const rest = number.slice(code.length);
    let region = "", open = false;
    for (const [other, list] of Object.entries(PREFIXES[code] || {})) {
      for (const prefix of list.split(" ")) {
        if (rest.startsWith(prefix)) region = other;
        else if (prefix.startsWith(rest)) open = true;
      }
    }
    return {code, region: region || (code in PREFIXES && !open ? MAIN[code] : "")};
  }

  function namesOf(items) {
    if (!window.Intl?.DisplayNames || !Intl.Locale) return;
    const known = {};
    const names = (language, style) => (known[language + style] ||= new Intl.DisplayNames([language], {type: "region", style, fallback: "none"}));
    for (const item of items) {
      const own = new Intl.Locale(`und-${item.value}`).maximize().toString();
      const translated = [...LANGUAGES, document.documentElement.lang || "en", own].map((language) => {
        try { return names(language, "long").of(item.value); } catch { return ""; }
      });
      translated.push(names("en", "short").of(item.value), names(document.documentElement.lang || "en", "short").of(item.value));
      item.names = [...new Set([...item.names, ...translated.filter(Boolean).map(fold)])];
    }
  }

  // How well a country matches the typed text: lower is better, Infinity is no match.
  function rank(item, typed, number, exact) {
    if (number) {
      if (exact) return exact.code !== item.code ? Infinity : exact.region === item.value ? 0 : MAIN[item.code] === item.value ? 1 : 2;
      return item.code.startsWith(number) ? 3 : Infinity;
    }
    if (item.value.toLowerCase() === typed) return 0;
    if (item.names.includes(typed)) return 1;
    if (item.names[0].startsWith(typed)) return 2;
    if (item.names.some((name) => name.startsWith(typed))) return 3;
    const words = typed.split(" ");
    if (item.names.some((name) => words.every((word) => ` ${name}`.includes(` ${word}`)))) return 4;
    const joined = typed.replaceAll(" ", ""); // newzealand, cote divoire
    return item.names.some((name) => name.replaceAll(" ", "").includes(joined)) ? 5 : Infinity;
  }

  function combobox(select) {
    const label = $(`label[for="${select.id}"]`), phone = $("#phone");
    const items = [...select.options].filter((option) => option.value).map((option) => {
      const text = option.text.trim(), [, name, code] = /^(.*?)\s*\u200e?\+(\d+)$/.exec(text);
      return {value: option.value, text, code, names: [name, ...(ALIASES[option.value] || "").split(",")].map(fold).filter(Boolean)};
    });
    const codes = [...new Set(items.map((item) => item.code))];
    const box = make("div", {class: "combo"});
    const input = make("input", {
      placeholder: select.querySelector('option[value=""]')?.text || "", id: "country-search", type: "text", role: "combobox",
      "aria-expanded": "false", "aria-controls": "country-list", "aria-autocomplete": "list", autocomplete: "off", autocapitalize: "none",
      spellcheck: "false",
    });
    const list = make("ul", {id: "country-list", role: "listbox", "aria-label": label.textContent, hidden: ""});
    let shown = [], active = -1, named = false;

    const current = () => items.find((item) => item.value === select.value);
    const restore = () => { input.value = current()?.text || ""; };
    const close = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      active = -1;
    };
    const choose = (item) => {
      select.value = item.value;
      restore();
      close();
    };
    const mark = (index) => {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = index;
      const option = shown.length ? list.children[active] : null;
      if (!option) return;
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({block: "nearest"});
      input.setAttribute("aria-activedescendant", option.id);
    };
    const search = (text) => {
      const typed = fold(text);
      if (!typed) return items;
      if (!named) namesOf(items);
      named = true;
      const number = /^[+\d\s]+$/.test(typed) || /^\+?\p{Nd}/u.test(typed) ? digits(text).replace(/^00/, "") : "";
      const exact = number ? countryOf(number, codes) : null;
      return items.map((item) => ({item, rank: rank(item, typed, number, exact)})).filter((match) => match.rank < Infinity)
        .sort((a, b) => a.rank - b.rank).map((match) => match.item); // equal ranks keep the order of the list
    };
    const open = (typed) => {
      shown = search(typed);
      list.replaceChildren(...shown.map((item, index) =>
        make("li", {role: "option", id: `country-${index}`, "aria-selected": "false"}, item.text)));
      if (!shown.length) list.append(make("li", {role: "presentation"}, select.dataset.none));
      list.hidden = false;
      active = -1;
      input.setAttribute("aria-expanded", "true");
      mark(fold(typed) ? 0 : Math.max(0, shown.indexOf(current())));
    };

    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => list.hidden && open(""));
    input.addEventListener("input", () => open(input.value));
    // Leaving the field in any way (Tab, a tap elsewhere, "next" on a phone's keyboard) takes the highlighted country.
    input.addEventListener("blur", () => {
      if (!list.hidden && shown[active] && input.value.trim()) choose(shown[active]);
      restore();
      close();
    });
    input.addEventListener("keydown", (event) => {
      const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
      if (step) {
        event.preventDefault();
        if (list.hidden) open("");
        else if (shown.length) mark((active + step + shown.length) % shown.length);
      } else if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        if (shown[active]) choose(shown[active]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        restore();
        close();
      }
    });
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const index = [...list.children].indexOf(event.target);
      if (!shown[index]) return;
      choose(shown[index]);
      phone.focus();
    });

    label.htmlFor = input.id;
    // Hidden but still there: the browser may fill it in.
    select.tabIndex = -1;
    select.setAttribute("aria-hidden", "true");
    select.addEventListener("change", restore);
    select.before(box);
    box.append(input, list, select);
    restore();

    // A number with a calling code selects its country. The server reads the calling code itself.
    function follow() {
      const typed = phone.value.normalize("NFKC").replace(/[\p{Default_Ignorable_Code_Point}\s(]/gu, "").replace(/^tel:/i, "");
      if (!/^(\+|00)/.test(typed)) return;
      const country = countryOf(digits(typed).replace(/^00/, ""), codes);
      if (!country || (!country.region && current()?.code === country.code)) return;
      const of = (region) => items.find((item) => item.value === region && item.code === country.code);
      const item = of(country.region) || of(MAIN[country.code]) || items.find((other) => other.code === country.code);
      if (item && item !== current()) choose(item);
    }
    phone.addEventListener("input", follow);
    phone.addEventListener("change", follow); // some browsers fire no other event when they fill in
    follow();
  }

  const select = $("select#country");
  if (select && select.options.length > 8) combobox(select);
})();
