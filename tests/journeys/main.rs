//! Journeys: what people do with the platform, through the functions' own handlers.

mod first_loop;
