// One monitor, looked at and changed.

import { editorIn } from "../editor.js";

const box = document.querySelector("[data-editor]");
editorIn(box, document.body.dataset.root);
