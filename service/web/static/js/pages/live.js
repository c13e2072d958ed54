// A page whose text is the server's, which is kept alive.

import { keepLive } from "../live.js";

keepLive(document.getElementById("live"));
