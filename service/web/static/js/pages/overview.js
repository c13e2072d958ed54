// The overview: nothing is drawn here, all is kept alive.

import { keepLive } from "../live.js";

keepLive(document.getElementById("live"));
