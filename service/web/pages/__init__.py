"""The pages that people look at: each is rendered with all its facts as text; scripts only draw and renew."""
