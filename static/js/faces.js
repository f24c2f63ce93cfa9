// What a dealt card looks like: on the pile, and as the sheet of its details. Words come from the page,
// in its language; numbers are written as that language does.

const language = document.documentElement.lang;
const decimal = (number) =>
  number.toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** The page's words by name, {key} replaced by its value. */
export function wordsOf(element) {
  return (name, values = {}) => Object.entries(values)
    .reduce((said, [key, value]) => said.replaceAll(`{${key}}`, value), element.dataset[name]);
}

/** Both faces: an element made from the mould, and the dialog's slots filled. */
export function facesOf({ mould, dialog, text }) {
  const synopsisOf = (card) => card.synopsis || text("noSynopsis");

  // The rating stands before the genre: what does not fit a narrow card is cut off at the end.
  function factsOf(card) {
    const stars = document.createElement("b");
    if (card.rating_mean !== null) stars.textContent = `★ ${decimal(card.rating_mean)}`;
    const facts = [
      card.year,
      card.runtime_min && text("minutes", { n: card.runtime_min }),
      stars.textContent && stars,
      card.main_genre_label,
    ].filter(Boolean);
    return facts.flatMap((fact, place) => (place ? [" · ", fact] : [fact]));
  }

  function reasonOf(card) {
    return card.reason.map((part) => {
      const element = document.createElement(part.is_strong ? "strong" : "span");
      element.textContent = part.text;
      return element;
    });
  }

  function makeElement(card) {
    const element = mould.content.firstElementChild.cloneNode(true);
    element.dataset.movie = card.movie_id;
    const slot = (name) => element.querySelector(`[data-slot="${name}"]`);
    slot("poster").src = card.poster_url;
    const link = slot("title");
    link.textContent = card.title;
    link.href = card.url;
    slot("facts").replaceChildren(...factsOf(card));
    const synopsis = slot("synopsis");
    synopsis.textContent = synopsisOf(card);
    synopsis.lang = card.synopsis ? "en" : language;
    slot("reason").replaceChildren(...reasonOf(card));
    return element;
  }

  function fillDetails(card) {
    const slot = (name) => dialog.querySelector(`[data-slot="${name}"]`);
    slot("title").textContent = card.title;
    const minutes = card.runtime_min && text("minutes", { n: card.runtime_min });
    slot("facts").textContent = [card.year, minutes, card.certification, card.genre_labels.join(", ")]
      .filter(Boolean).join(" · ");
    slot("synopsis").textContent = synopsisOf(card);
    slot("synopsis").lang = card.synopsis ? "en" : language;
    slot("reason").replaceChildren(...reasonOf(card));
    const n = card.rating_count.toLocaleString(language);
    const rated = card.rating_mean === null ? "" : text("rated", { stars: decimal(card.rating_mean), n });
    for (const [name, value] of [["directors", card.directors.join(", ")], ["cast", card.cast.join(", ")], ["rated", rated]]) {
      slot(name).textContent = value;
      slot(name).parentElement.hidden = !value;
    }
    slot("link").href = card.url;
  }

  return { makeElement, fillDetails };
}
